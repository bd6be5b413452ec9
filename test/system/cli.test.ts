// SPDX-License-Identifier: Apache-2.0
// rpmsgctl against a real daemon.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { firmwareAddress } from '../../packaging/dev/scene.mjs';
import { DaemonProcess } from '../support/daemon-process.ts';

let daemon: DaemonProcess;

beforeAll(async () => {
  daemon = await DaemonProcess.start();
});
afterAll(() => daemon.stop());

test('list shows remotes, vdevs and channels as a tree', async () => {
  const { status, stdout } = await daemon.rpmsgctl('list');
  expect(status).toBe(0);
  const lines = stdout.split('\n').map((line) => line.replace(/ {2,}(?=\S+ )/, '  ').trimEnd());
  expect(lines[0]).toMatch(/^cm40 +remote attached, generation 1$/);
  expect(stdout).toMatch(/^ {2}vdev1 +vdev up, 496 bytes a message$/m);
  expect(stdout).toMatch(/^ {4}channel_echo +channel "echo", remote address \d+$/m);
  expect(stdout).toContain(`"echo", remote address ${firmwareAddress('echo')}\n`);
});

test('list as JSON has every object with its interfaces and properties', async () => {
  const { status, stdout } = await daemon.rpmsgctl('list', '--json');
  expect(status).toBe(0);
  const objects = JSON.parse(stdout) as { path: string; interfaces: object }[];
  const echo = objects.find(({ path }) => path === '/org/rpmsg/cm40/vdev0/channel_echo');
  expect(echo?.interfaces).toMatchObject({
    Channel: { Name: 'echo', RawName: [...Buffer.from('echo')] },
    Endpoint: { Mtu: 496, Owner: '' },
  });
});

test('version tells both versions', async () => {
  const { status, stdout } = await daemon.rpmsgctl('version');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^rpmsgctl (\d\S+)\nrpmsgd \1\n$/);
});

test('without a daemon on the bus list exits 69 and says what to do', async () => {
  const { status, stderr } = await daemon.rpmsgctl(
    'list',
    '--bus',
    daemon.address.replace('bus', 'no'),
  );
  expect(status).toBe(69);
  expect(stderr).toMatch(/^rpmsgctl: /);
});

interface Finding {
  readonly state: string;
  readonly check: string;
  readonly text: string;
}

/** What doctor says of the daemon and of its remotes' states; the rest is of the machine. */
async function diagnosis(...options: string[]) {
  const { status, stdout } = await daemon.rpmsgctl('doctor', '--json', ...options);
  const findings = JSON.parse(stdout) as Finding[];
  const about = findings.filter(({ check }) => /^daemon$| state$/.test(check));
  return { status, findings: about.map(({ state, check, text }) => `${state} ${check}: ${text}`) };
}

test('doctor says how the daemon, its remotes and their vdevs are', async () => {
  const { findings } = await diagnosis();
  expect(findings).toEqual([
    expect.stringMatching(/^ok daemon: rpmsgd \d+\.\S+ runs$/),
    'ok cm40 state: attached, generation 1, 0 resets',
    'ok cm40 vdev0 state: up',
    'ok cm40 vdev1 state: up',
  ]);
});

test('doctor fails where no daemon is, with status 1', async () => {
  const { status, findings } = await diagnosis('--bus', daemon.address.replace('bus', 'no'));
  expect(findings).toEqual([expect.stringMatching(/^fail daemon: /)]);
  expect(status).toBe(1);
});
