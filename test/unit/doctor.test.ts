// SPDX-License-Identifier: Apache-2.0
// rpmsgctl doctor finds what is wrong with a machine, one ailment at a time, and nothing on a sound one.

import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import { applyOverlays, unpack } from '../support/device-trees.ts';
import { runRpmsgctl as run } from '../support/rpmsgctl-run.ts';

const live = 'sys/firmware/devicetree/base';
const pageBytes = 4096;
let trees: string;
let root: string;

beforeAll(() => {
  trees = mkdtempSync(join(tmpdir(), 'rpmsgd-doctor-trees-'));
  const overlays = ['imx8qxp-mek-rpmsg.dtso', 'imx8-scu-mu.dtso'];
  unpack(applyOverlays('imx8qxp-mek', overlays, trees), join(trees, 'imx8qxp'));
  unpack(applyOverlays('imx8qxp-mek', [], trees), join(trees, 'imx8qxp-plain'));
  unpack(applyOverlays('imx8mm-evk', ['imx8mm-evk-rpmsg.dtso'], trees), join(trees, 'imx8mm'));
});
afterAll(() => rmSync(trees, { recursive: true }));
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rpmsgd-doctor-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function remove(path: string): void {
  rmSync(join(root, path), { recursive: true });
}

function uio(index: number, name: string, maps: readonly (readonly [string, string])[]): void {
  const folder = `sys/class/uio/uio${index}`;
  put(`${folder}/name`, `${name}\n`);
  put(`${folder}/event`, '3\n');
  for (const [at, [addr, size]] of maps.entries()) {
    put(`${folder}/maps/map${at}/addr`, `${addr}\n`);
    put(`${folder}/maps/map${at}/size`, `${size}\n`);
  }
  put(`dev/uio${index}`, '\0'.repeat(pageBytes));
  chmodSync(join(root, `dev/uio${index}`), 0o660);
}

function tree(name: string): void {
  rmSync(join(root, live), { recursive: true, force: true });
  cpSync(join(trees, name), join(root, live), { recursive: true });
}

/** Registers of the MU that is uio0: offset and value. Its other registers are zero. */
function registers(...values: readonly (readonly [number, number])[]): void {
  const page = Buffer.alloc(pageBytes);
  for (const [offset, value] of values) page.writeUInt32LE(value, offset);
  writeFileSync(join(root, 'dev/uio0'), page);
}

/** An i.MX8QXP on which everything is as it has to be. */
function soundMachine(): void {
  tree('imx8qxp');
  put('etc/group', `root:x:0:\nrpmsgd:x:${process.getgid?.()}:\n`);
  put('proc/interrupts', '           CPU0\n 42:       3   GICv3 216 Level     rpmsg-mu\n');
  put('sys/module/uio_pdrv_genirq/refcnt', '0\n');
  put('sys/bus/platform/drivers/imx_mu/5d1c0000.mailbox/uevent', '');
  uio(0, 'rpmsg-mu', [['0x000000005d200000', '0x0000000000010000']]);
  registers([0x20, 0x00f00001], [0x24, 0x44000001]);
  uio(1, 'rpmsg-scu-mu', [['0x000000005d1d0000', '0x0000000000010000']]);
  uio(2, 'rpmsg-memory', [
    ['0x0000000090400000', '0x0000000000100000'],
    ['0x0000000090000000', '0x0000000000020000'],
  ]);
}

async function doctor(...options: string[]) {
  const { status, out, err } = await run('doctor', '--root', root, ...options);
  return { status, out, complaints: err };
}

async function findings(): Promise<Finding[]> {
  return JSON.parse((await doctor('--json')).out) as Finding[];
}

/** What is not ok, as `state check: text`. */
async function troubles(): Promise<string[]> {
  const all = await findings();
  const bad = all.filter(({ state }) => state !== 'ok');
  for (const { remedy } of bad) expect(remedy).toBeTruthy();
  return bad.map(({ state, check, text }) => `${state} ${check}: ${text}`);
}

it('finds nothing on a sound machine, and says what it looked at', async () => {
  soundMachine();
  const { status, out, complaints } = await doctor();
  expect(out.split('\n').filter((line) => line !== '' && !line.startsWith('ok    '))).toEqual([]);
  expect(
    out
      .replaceAll(root, '')
      .split('\n')
      .map((line) => line.slice(6).split(/ {2,}/)[0]),
  ).toEqual([
    'configuration',
    'kernel',
    'cm40 MU',
    'cm40 interrupt',
    'cm40 power',
    'cm40 MU state',
    'cm40 vrings',
    'cm40 vrings',
    'cm40 buffers',
    'cm40 buffers',
    'cm40 SCU MU',
    'cm40 access',
    'cm40 access',
    'cm40 access',
    '',
  ]);
  expect(out).toMatch(/^ok {4}cm40 interrupt {2}line 42, count 3$/m);
  expect({ status, complaints }).toEqual({ status: 0, complaints: '' });
});

it('needs nobody to configure a remote, and says where one could be', async () => {
  const none = 'warn configuration: no remote: none in files of /usr/lib/rpmsg, ';
  const [without] = await troubles();
  expect(without).toMatch(new RegExp(`^${none}.* there is no device tree in`));
  tree('imx8qxp');
  remove(`${live}/rpmsg@90000000`);
  const [within] = await troubles();
  expect(within).toMatch(new RegExp(`^${none}.*base has not .*fsl,imx8qxp-rpmsg.*vdev0vring0`));
  expect((await doctor()).status).toBe(0);
});

it('fails with status 1 and one line a check that says what to do', async () => {
  soundMachine();
  remove('sys/class/uio/uio0');
  const { status, out, complaints } = await doctor();
  expect(out).toMatch(
    /^FAIL {2}cm40 MU {8}no UIO device maps 0x5d200000; there are uio1 .*: apply your board's overlay/m,
  );
  expect({ status, complaints }).toEqual({ status: 1, complaints: 'rpmsgctl: 1 check failed\n' });
});

const ailments: readonly (readonly [string, () => void, RegExp])[] = [
  [
    'a configuration that is refused',
    () => put('etc/rpmsg/rpmsgd.toml', '[[remote]]\nname = "cm40"\nvdevs = 9\n'),
    /^fail configuration: .*\/etc\/rpmsg\/rpmsgd\.toml: remote\[0\]\.vdevs = 9: /,
  ],
  [
    'a driver that is not there',
    () => remove('sys/module/uio_pdrv_genirq'),
    /^fail kernel: the driver uio_pdrv_genirq is not there/,
  ],
  [
    'a MU that the mailbox driver has',
    () => put('sys/bus/platform/drivers/imx_mu/5d200000.mailbox/uevent', ''),
    /^fail cm40 MU: the kernel's driver imx_mu has 0x5d200000/,
  ],
  [
    'a MU of another name',
    () => put('etc/rpmsg/rpmsgd.toml', '[[remote]]\nname = "cm40"\nmu_device = "mu5"\n'),
    /^fail cm40 MU: no UIO device maps "mu5"; there are uio0 \(rpmsg-mu\) 0x5d200000\+0x10000/,
  ],
  [
    'a device that the daemon may not open',
    () => chmodSync(join(root, 'dev/uio0'), 0o600),
    /^fail cm40 access: \/dev\/uio0 has mode 0600 and group rpmsgd, so that the daemon cannot open it/,
  ],
  [
    'a device of another group',
    () => put('etc/group', 'rpmsgd:x:4242:\n'),
    /^fail cm40 access: \/dev\/uio\d has mode 0660 and group \d+, so that/,
  ],
  [
    'a device without its node',
    () => remove('dev/uio0'),
    /^fail cm40 access: \/dev\/uio0 is not there/,
  ],
  [
    'a missing group',
    () => put('etc/group', 'root:x:0:\n'),
    /^fail cm40 access: there is no group rpmsgd/,
  ],
  [
    'a MU without an interrupt',
    () => put('proc/interrupts', '           CPU0\n'),
    /^fail cm40 interrupt: uio0 \(rpmsg-mu\) has no interrupt/,
  ],
  [
    'a MU without power',
    () => remove(`${live}/rpmsg-mu@5d200000/power-domains`),
    /^warn cm40 (power: \/rpmsg-mu@5d200000 has no power-domain|MU state: not looked at: to read)/,
  ],
  [
    'vrings that no device maps whole',
    () => put('sys/class/uio/uio2/maps/map1/size', '0x10000'),
    /^fail cm40 vrings: no UIO device maps 0x90000000\+0x20000; there are/,
  ],
  [
    'buffers through /dev/mem',
    () => {
      put('etc/rpmsg/rpmsgd.toml', '[[remote]]\nname = "cm40"\ndev_mem = true\n');
      remove('sys/class/uio/uio2/maps/map0');
    },
    /^warn cm40 buffers: 0x90400000\+0x80000 is mapped through \/dev\/mem/,
  ],
  [
    'memory that Linux maps too',
    () => remove(`${live}/reserved-memory/memory@90018000/no-map`),
    /^warn cm40 vrings: 0x90000000\+0x20000 is reserved without no-map/,
  ],
  [
    'memory that is not reserved',
    () => remove(`${live}/reserved-memory/memory@90018000`),
    /^fail cm40 vrings: 0x90000000\+0x20000 is not reserved/,
  ],
  [
    'resets that nobody tells',
    () => remove(`${live}/rpmsg-scu-mu@5d1d0000`),
    /^warn cm40 SCU MU: none, so that a reset is noticed only when the remote says/,
  ],
  [
    'a MU of SCFW that no device maps',
    () => remove('sys/class/uio/uio1'),
    /^fail cm40 SCU MU: no UIO device maps 0x5d1d0000/,
  ],
];

describe('on a machine that is sound otherwise it finds', () => {
  it.each(ailments)('%s, and that alone', async (_what, spoil, expected) => {
    soundMachine();
    spoil();
    const found = await troubles();
    expect(found.filter((text) => !expected.test(text))).toEqual([]);
    expect(found.length).toBeGreaterThan(0);
  });
});

it('tells a driver that is loaded but not told its name from one that is', async () => {
  soundMachine();
  for (const index of [0, 1, 2]) remove(`sys/class/uio/uio${index}`);
  const kernel = async () => (await findings()).find(({ check }) => check === 'kernel');
  expect(await kernel()).toMatchObject({
    state: 'fail',
    text: 'uio_pdrv_genirq is not told which nodes are its own',
  });
  put('etc/modprobe.d/uio.conf', 'options uio_pdrv_genirq of_id=generic-uio\n');
  expect(await kernel()).toMatchObject({ state: 'ok' });
  remove('etc/modprobe.d/uio.conf');
  put('proc/cmdline', 'root=/dev/mmcblk0p2 uio_pdrv_genirq.of_id=generic-uio\n');
  expect(await kernel()).toMatchObject({ state: 'ok' });
});

it('says which node of a board without the overlay has the MU', async () => {
  soundMachine();
  tree('imx8qxp-plain');
  remove('sys/class/uio/uio0');
  expect(await troubles()).toContainEqual(
    expect.stringMatching(
      /^fail cm40 MU: no UIO device maps 0x5d200000; \/bus@5d000000\/mailbox@5d200000 is not compatible/,
    ),
  );
});

it('knows that a MU of an i.MX8MM has a clock of its bus', async () => {
  soundMachine();
  tree('imx8mm');
  const power = async () => (await findings()).find(({ check }) => check === 'm4 power');
  uio(0, 'rpmsg-mu', [['0x30aa0000', '0x10000']]);
  expect(await power()).toMatchObject({ state: 'ok' });
  remove(`${live}/rpmsg-bus/clocks`);
  expect(await power()).toMatchObject({
    state: 'warn',
    text: '/rpmsg-bus/rpmsg-mu@30aa0000 has no clock: it may read as zeros, or stop the machine',
  });
});

it('reads no register of a MU without power, unless it is told to', async () => {
  soundMachine();
  remove(`${live}/rpmsg-mu@5d200000/power-domains`);
  const state = async (...options: string[]) => {
    const all = JSON.parse((await doctor('--json', ...options)).out) as Finding[];
    return all.find(({ check }) => check === 'cm40 MU state');
  };
  expect(await state()).toEqual({
    state: 'warn',
    check: 'cm40 MU state',
    text: 'not looked at: to read a MU without clock or power may stop the machine',
    remedy: 'rpmsgctl doctor --mu looks all the same',
  });
  expect(await state('--mu')).toMatchObject({
    state: 'ok',
    text: 'TE 0 1 2 3, RF none, GIP none, enabled RIE 1, GIE 1, Fn 1 of the remote, 1 of ours, registers 0x20=0xf00001 0x24=0x44000001',
  });
});

it('says what the bring-up guide says that it says', async () => {
  const guide = readFileSync(new URL('../../packaging/doc/bring-up.md', import.meta.url), 'utf8');
  const quoted = [...guide.matchAll(/^> `(ok {4}.*)`$/gm)].map(([, line = '']) => line);
  const squeeze = (text: string) => text.replaceAll(root, '').replace(/ {2,}/g, '  ');
  soundMachine();
  const lines = squeeze((await doctor()).out).split('\n');
  tree('imx8mm');
  uio(0, 'rpmsg-mu', [['0x30aa0000', '0x10000']]);
  registers([0x20, 0x00f00001], [0x24, 0x44000001]);
  uio(1, 'rpmsg-memory', [
    ['0xb8400000', '0x100000'],
    ['0xb8000000', '0x10000'],
  ]);
  lines.push(...squeeze((await doctor()).out).split('\n'));
  // What it says of a running daemon is in test/system/cli.test.ts.
  const ofFiles = quoted.filter((line) => !/^ok +(daemon|\S+( vdev0)? state) /.test(line));
  expect(ofFiles.length).toBe(8);
  for (const line of ofFiles) expect(lines).toContain(squeeze(line));
});

it('looks for the board of a simulated remote', async () => {
  const remote = '[[remote]]\nname = "cm40"\nplatform = "sim"\nsoc = "imx8qxp"\n';
  put('etc/rpmsg/rpmsgd.toml', remote);
  expect(await troubles()).toEqual([
    'fail cm40 board: no simulated SoC listens on /run/rpmsg/soc.sock',
  ]);
  mkdirSync(join(root, 'run/rpmsg'), { recursive: true });
  symlinkSync('/dev/null', join(root, 'run/rpmsg/soc.sock'));
  expect(await troubles()).toEqual([]);
});

it('belongs to doctor alone, the option --root', async () => {
  const { status, err } = await run('list', '--root', '/');
  expect(status).toBe(64);
  expect(err).toContain('--root is for doctor; list does not know it');
});
