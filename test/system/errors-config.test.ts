// SPDX-License-Identifier: Apache-2.0
// Wrong configurations, boards that do not fit them, and a second daemon: the process says what to
// change, exits with the documented status, and leaves nothing half-open.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Child } from '../../packaging/dev/child.mjs';
import { firmwareCommand } from '../../packaging/dev/scene.mjs';
import { type CommandResult, checkout, runProgram } from '../support/daemon-process.ts';
import { channelPath } from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';

const CONFIG = 78;
const UNAVAILABLE = 69;
let directory: string;
let runtime: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rpmsgd-errors-'));
  runtime = join(directory, 'run');
  file = join(directory, 'rpmsgd.toml');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Runs the daemon on `text` to its end, which must come by itself and without a stack trace. */
async function run(text: string, ...args: string[]): Promise<CommandResult> {
  writeFileSync(file, text);
  const paths = ['--config', file, '--runtime-dir', runtime];
  const program = join(checkout, 'dist/rpmsgd.js');
  const result = await runProgram(process.execPath, [program, ...paths, ...args]);
  expect(result.stderr).not.toMatch(/^\s+at /m);
  return result;
}

function remote(soc: string, lines: readonly string[] = [], name = 'cm40'): string {
  return `[[remote]]\nname = "${name}"\nplatform = "sim"\nsoc = "${soc}"\n${lines.join('\n')}\n`;
}

describe('a wrong configuration', () => {
  let board: Child;
  let boards: string;
  let socket: string;

  beforeAll(async () => {
    boards = mkdtempSync(join(tmpdir(), 'rpmsg-board-'));
    socket = join(boards, 'soc.sock');
    board = new Child('rpmsg-soc', join(checkout, 'build/rpmsg-soc'), ['--socket', socket]);
    await board.said(/^READY$/m);
  });
  afterAll(async () => {
    await board?.stop();
    rmSync(boards, { recursive: true, force: true });
  });

  const vrings = 'vrings = { base = 0x90000000, size = 0x20000 }';
  const cases: readonly (readonly [what: string, text: string, message: RegExp])[] = [
    [
      'nine vdevs',
      remote('imx8qxp', ['vdevs = 9']),
      /remote\[0\]\.vdevs = 9: a remote has at most 8 vdevs; lower it/,
    ],
    [
      'more vdevs than the firmware of the SoC can address',
      remote('imx8qm', ['vdevs = 5']),
      /vdevs = 5: the firmware of imx8qm can address 4 vdevs at most; lower it to 4/,
    ],
    [
      'two vdevs on a SoC of one',
      remote('imx7d', ['core = "m4"', 'vdevs = 2']),
      /vdevs = 2: the firmware of imx7d can address 1 vdev at most; lower it to 1/,
    ],
    [
      'buffers over rings',
      remote('imx8qxp', ['vdevs = 2', vrings, 'buffers = { base = 0x90010000, size = 0x100000 }']),
      /buffers\.base = 0x90010000: overlaps the vrings of cm40 \(0x90000000 to 0x9001ffff\); move/,
    ],
    [
      'one core given twice',
      remote('imx8qxp') + remote('imx8qxp', ['core = "cm40"'], 'other'),
      /core cm40 is remote "cm40" already; one core has one remote/,
    ],
    [
      'rings that are too small',
      remote('imx8qxp', ['vdevs = 4', vrings]),
      /vrings\.size = 0x20000: is too small: 0x10000 for each of 4 vdevs make 0x40000; raise it/,
    ],
    [
      'rings that are not aligned',
      remote('imx8qxp', ['vrings = { base = 0x90000800, size = 0x20000 }']),
      /vrings\.base = 0x90000800: must be a multiple of 0x1000/,
    ],
    [
      'buffers above 4 GiB',
      remote('imx8qxp', ['buffers = { base = 0x100000000, size = 0x100000 }']),
      /buffers\.base = 0x100000000: lies above 4 GiB, where no M core can reach/,
    ],
    [
      'an unknown key',
      remote('imx8qxp', ['vdev = 2']),
      /remote\[0\]\.vdev\b.*did you mean .?vdevs/,
    ],
    ['an unknown SoC', remote('imx9'), /soc = "imx9": is not a SoC that is known; it is one of /],
    ['what is no TOML', '[[remote]\n', /rpmsgd\.toml/],
    [
      'an endpoint at the address of the name service',
      `${remote('imx8qxp')}[[remote.endpoint]]\nvdev = 0\nname = "x"\nsrc = 53\n`,
      /endpoint\[0\]\.src = .*53.* belongs to the name service/,
    ],
    [
      'a limit out of range',
      '[limits]\nsend_timeout_ms = 20001\n',
      /limits\.send_timeout_ms = 20001: must be a whole number from 1 to 20000 milliseconds/,
    ],
  ];
  test.each(cases)('with %s exits 78, says what to change, and opens nothing', async (...row) => {
    const [, text, message] = row;
    const placed = text.replaceAll('platform = "sim"', `platform = "sim"\nsocket = "${socket}"`);
    const { status, stderr } = await run(placed, '--bus', 'unix:path=/none');
    expect(stderr).toMatch(message);
    expect(stderr).toContain(file);
    expect(status).toBe(CONFIG);
    expect(existsSync(runtime)).toBe(false);
    expect(board.output).not.toContain('host attached');
  });

  test('tells all that is wrong at once', async () => {
    const text = remote('imx8qm', ['vdevs = 5', 'vdev = 1']) + remote('imx9', [], 'two');
    const { stderr } = await run(text);
    for (const part of ['vdevs = 5', 'remote[0].vdev', 'soc = "imx9"']) {
      expect(stderr).toContain(part);
    }
  });
});

describe('a board that does not fit', () => {
  let scene: SceneClient;
  let socket: string;

  beforeAll(async () => {
    scene = await SceneClient.start({
      bus: 'dbus-broker',
      firmware: ({ vdevs }) => firmwareCommand(vdevs),
    });
    socket = join(scene.daemon.scene.directory, 'soc0.sock');
  });
  afterAll(() => scene?.stop());
  afterEach(async () => {
    // The daemon that was first goes on as if nothing had been.
    const echo = ['call', 'org.rpmsg', channelPath('cm40', 0, 'echo'), 'org.rpmsg.Endpoint'];
    expect((await scene.daemon.busctl(...echo, 'Send', 'ay', '1', '9')).status).toBe(0);
    const { stdout } = await scene.daemon.busctl(...echo, 'Receive', 'uu', '1', '10000');
    expect(stdout).toMatch(/ 1 9 0\n$/);
    const hosts = scene.daemon.scene.socs.map(({ output }) => output).join('');
    expect(hosts.match(/host attached/g)).toHaveLength(1);
  });

  test('a second daemon under another runtime directory is told who has the core', async () => {
    const text = remote('imx8qxp', ['vdevs = 2', `socket = "${socket}"`]);
    const { status, stderr } = await run(text, '--bus', scene.address);
    expect(stderr).toMatch(/cannot open remote "cm40"/);
    expect(stderr).toContain(String(scene.daemon.process.pid));
    expect(status).toBe(UNAVAILABLE);
  });

  test('a second daemon under the same one is told who holds the lock', async () => {
    runtime = scene.daemon.scene.directory;
    const text = remote('imx8qxp', ['vdevs = 2', `socket = "${socket}"`]);
    const { status, stderr } = await run(text, '--bus', scene.address);
    expect(stderr).toContain(`process ${scene.daemon.process.pid} holds it`);
    expect(status).toBe(UNAVAILABLE);
  });

  test('a core that the board does not have is refused by name', async () => {
    const text = remote('imx8qm', ['core = "cm41"', `socket = "${socket}"`]);
    const { status, stderr } = await run(text, '--bus', scene.address);
    expect(stderr).toMatch(/cannot open remote "cm40".*cm41/);
    expect(status).toBe(UNAVAILABLE);
  });
});

describe('of two remotes', () => {
  test('one whose socket is not there closes the other again', async () => {
    const socket = join(directory, 'soc.sock');
    const absent = join(directory, 'absent.sock');
    const program = join(checkout, 'build/rpmsg-soc');
    const board = new Child('rpmsg-soc', program, ['--socket', socket, '--soc', 'imx8qxp']);
    try {
      await board.said(/^READY$/m);
      const good = remote('imx8qxp', [`socket = "${socket}"`]);
      const bad = remote('imx8qxp', [`socket = "${absent}"`], 'other');
      const { status, stderr } = await run(good + bad, '--bus', 'unix:path=/none');
      expect(stderr).toMatch(/cannot open remote "other"/);
      expect(stderr).toContain(absent);
      expect(status).toBe(UNAVAILABLE);
      if (board.output.includes('host attached')) await board.said(/^cm40 host gone pid \d+$/m);
    } finally {
      await board.stop();
    }
  });

  test('memory that the board does not have is refused', async () => {
    const socket = join(directory, 'soc.sock');
    const program = join(checkout, 'build/rpmsg-soc');
    const board = new Child('rpmsg-soc', program, ['--socket', socket, '--soc', 'imx8qxp']);
    try {
      await board.said(/^READY$/m);
      const vrings = 'vrings = { base = 0x10000000, size = 0x20000 }';
      const text = remote('imx8qxp', [`socket = "${socket}"`, vrings]);
      const { status, stderr } = await run(text, '--bus', 'unix:path=/none');
      expect(stderr).toMatch(/cannot open remote "cm40".*0x10000000/);
      expect(status).toBe(UNAVAILABLE);
    } finally {
      await board.stop();
    }
  });
});
