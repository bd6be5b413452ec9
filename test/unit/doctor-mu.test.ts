// SPDX-License-Identifier: Apache-2.0
// rpmsgctl doctor reads what a MU's registers tell, of each generation, and leaves alone what could stop
// the machine.

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MuLook, MuState } from '../../src/addon/types.ts';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import { judgeMu, type MuServer } from '../../src/cli/doctor/mu-state.ts';
import { runRpmsgctl as run } from '../support/rpmsgctl-run.ts';

const pageBytes = 4096;
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rpmsgd-doctor-mu-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

/** A remote of a SoC whose MU has these registers, `offset` bytes into its page. */
function machine(
  soc: string,
  core: string,
  values: readonly (readonly [number, number])[],
  offset = 0,
): void {
  put(
    'etc/rpmsg/rpmsgd.toml',
    `[[remote]]
name = "core"
core = "${core}"
platform = "uio"
soc = "${soc}"
mu_device = "rpmsg-mu"
vdevs = 1
`,
  );
  const folder = 'sys/class/uio/uio0';
  put(`${folder}/name`, 'rpmsg-mu\n');
  put(`${folder}/maps/map0/addr`, '0x0000000044230000\n');
  put(`${folder}/maps/map0/size`, '0x0000000000001000\n');
  put(`${folder}/maps/map0/offset`, `0x${offset.toString(16)}\n`);
  const page = Buffer.alloc(pageBytes);
  for (const [at, value] of values) page.writeUInt32LE(value, offset + at);
  put('dev/uio0', page);
}

async function muFindings(...options: string[]): Promise<Finding[]> {
  const { out } = await run('doctor', '--root', root, '--json', ...options);
  const findings = JSON.parse(out) as Finding[];
  return findings.filter(({ check }) => check === 'core MU state');
}

async function states(...options: string[]): Promise<string[]> {
  return (await muFindings(...options)).map(({ state, text }) => `${state} ${text}`);
}

interface Generation {
  readonly soc: string;
  readonly core: string;
  /** Nothing on its way, our interrupts on, Fn 1 of the remote. */
  readonly idle: readonly (readonly [number, number])[];
  /** A word in RR1, doorbell 1 rings, our word is in TR1, and FUP. */
  readonly standing: readonly (readonly [number, number])[];
}

const generations: Readonly<Record<string, Generation>> = {
  V1: {
    soc: 'imx8qxp',
    core: 'cm40',
    idle: [
      [0x20, 0x00f00001],
      [0x24, 0x44000000],
    ],
    standing: [
      [0x20, 0x44b00100],
      [0x24, 0x44400000],
    ],
  },
  'i.MX7ULP': {
    soc: 'imx7ulp',
    core: 'm4',
    idle: [
      [0x60, 0x00f00001],
      [0x64, 0x44000000],
    ],
    standing: [
      [0x60, 0x44b00100],
      [0x64, 0x44400000],
    ],
  },
  V2: {
    soc: 'imx93',
    core: 'm33',
    idle: [
      [0x124, 0xf],
      [0x104, 1],
      [0x128, 2],
      [0x110, 2],
    ],
    standing: [
      [0x124, 0xd],
      [0x12c, 2],
      [0x118, 2],
      [0x0c, 8],
      [0x120, 2],
      [0x128, 2],
      [0x110, 2],
    ],
  },
};

describe.each(Object.entries(generations))('a MU of generation %s', (_, { soc, core, ...mu }) => {
  it('that is idle is ok, with its state in a line', async () => {
    machine(soc, core, mu.idle);
    const [line = '', ...others] = await states();
    expect(others).toEqual([]);
    expect(line).toMatch(
      /^ok TE 0 1 2 3, RF none, GIP none, enabled RIE 1, GIE 1, Fn 1 of the remote, 0 of ours, registers 0x/,
    );
    for (const [offset, value] of mu.idle) {
      expect(line).toContain(` 0x${offset.toString(16)}=0x${value.toString(16)}`);
    }
  });

  it('in which everything waits says what each of it means', async () => {
    machine(soc, core, mu.standing, 0x80);
    expect(await states()).toEqual([
      expect.stringMatching(/^ok TE 0 2 3, RF 1, GIP 1, FUP, enabled TIE 1, RIE 1, GIE 1, Fn 0 /),
      'warn a word waits in RR1, and the remote in its next send until it is taken',
      expect.stringMatching(
        /^warn our word in TR1 is not taken: the remote's firmware does not run/,
      ),
      expect.stringMatching(/^warn a change of our flags does not arrive \(FUP\): /),
    ]);
  });

  it('without its clock fails', async () => {
    machine(soc, core, []);
    expect(await states()).toEqual(['fail the registers read as zeros: no clock or power']);
    put('dev/uio0', Buffer.alloc(pageBytes, 0xff));
    expect(await states()).toEqual(['fail the registers read as all ones: no clock or power']);
  });

  it('is as it was after it was looked at', async () => {
    machine(soc, core, mu.standing);
    chmodSync(join(root, 'dev/uio0'), 0o444);
    const before = readFileSync(join(root, 'dev/uio0'));
    await states();
    expect(readFileSync(join(root, 'dev/uio0'))).toEqual(before);
  });
});

it('says so of registers whose reading is a bus error', async () => {
  machine('imx8qxp', 'cm40', []);
  put('dev/uio0', '');
  expect(await states()).toEqual(['fail reading the registers is a bus error: no clock or power']);
});

it('says that it needs root for a device that it may not read', async () => {
  machine('imx8qxp', 'cm40', [[0x20, 0x00f00000]]);
  chmodSync(root, 0o755);
  chmodSync(join(root, 'dev/uio0'), 0);
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.('nobody');
  try {
    expect(await muFindings()).toEqual([
      {
        state: 'warn',
        check: 'core MU state',
        text: 'the registers in /dev/uio0 cannot be read: EACCES',
        remedy: 'run rpmsgctl doctor as root',
      },
    ]);
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

describe('given who serves the MU,', () => {
  const idle: MuState & { isAnswering: true } = {
    isAnswering: true,
    ...{ transmitEmpty: 0xf, receiveFull: 0, doorbellsPending: 0 },
    ...{ transmitEnabled: 0, receiveEnabled: 2, doorbellsEnabled: 2, doorbellsRinging: 0 },
    ...{ ownFlags: 1, remoteFlags: 1, isCrossing: false, registers: [[0x20, 0x00f00001]] },
  };
  const word = { ...idle, receiveFull: 2 };
  const doorbell = { ...idle, doorbellsPending: 2 };

  const cases: readonly (readonly [string, MuLook, MuServer, readonly RegExp[]])[] = [
    ['finds nothing on an idle one', idle, 'attached', []],
    ['finds nothing on an idle one without a daemon', idle, 'none', []],
    [
      'a word without a daemon blocks the remote',
      word,
      'none',
      [/^warn a word waits in RR1, and the remote in its next send .*: no daemon runs$/],
    ],
    [
      'a word for a daemon that has not opened the MU is a failure',
      word,
      'offline',
      [/^fail a word waits in RR1.*: the daemon has not opened the MU$/],
    ],
    [
      'a word that a daemon does not take is a missing interrupt',
      word,
      'attached',
      [
        /^fail the daemon \(attached\) does not take a word in RR1: the MU's interrupt does not reach/,
      ],
    ],
    [
      'a doorbell that a daemon does not take is one, too',
      doorbell,
      'waiting',
      [/^fail the daemon \(waiting\) does not take doorbell 1: the MU's interrupt does not reach/],
    ],
    ['a doorbell is for the daemon that starts', doorbell, 'none', []],
    [
      'a word that the remote does not take is its own affair',
      { ...idle, transmitEmpty: 0xd },
      'attached',
      [/^warn our word in TR1 is not taken: /],
    ],
    [
      'interrupts of other channels are another driver',
      { ...idle, receiveEnabled: 7, doorbellsEnabled: 10 },
      'attached',
      [/^warn interrupts are enabled .* \(RIE 0 2, GIE 3\): another driver uses this MU$/],
    ],
    [
      'or were one, before a daemon masks them',
      { ...idle, transmitEnabled: 1 },
      'none',
      [/^warn interrupts are enabled .* \(TIE 0\): another driver uses, or has used, this MU$/],
    ],
    [
      'a daemon whose interrupts are off has lost them',
      { ...idle, doorbellsEnabled: 0 },
      'attached',
      [
        /^fail the daemon \(attached\) runs, but RIE 1 and GIE 1 are not both enabled: the MU was reset/,
      ],
    ],
    [
      'without one they may be off',
      { ...idle, receiveEnabled: 0, doorbellsEnabled: 0 },
      'none',
      [],
    ],
  ];

  it.each(cases)('%s', (_, look, server, expected) => {
    const [line, ...found] = judgeMu('core MU state', look, server);
    expect(line?.state).toBe('ok');
    for (const { remedy } of found) expect(remedy).toBeTruthy();
    expect(found.map(({ state, text }) => `${state} ${text}`)).toEqual(
      expected.map((each) => expect.stringMatching(each)),
    );
  });
});
