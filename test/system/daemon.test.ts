// SPDX-License-Identifier: Apache-2.0
// The process rpmsgd: how it starts, what it says to systemd, what ends it and with which status.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Child } from '../../packaging/dev/child.mjs';
import { firmwareAddress } from '../../packaging/dev/scene.mjs';
import { compileHelper } from '../support/bus-process.ts';
import {
  checkout,
  DaemonProcess,
  type DaemonSetup,
  runProgram,
} from '../support/daemon-process.ts';
import { managerCommand, ServiceManager } from '../support/service-manager.ts';

const program = join(checkout, 'dist/rpmsgd.js');
const noRemote = { config: {}, channels: [] } as const;

let directory: string;
let cleanups: (() => Promise<unknown>)[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rpmsgd-test-'));
  cleanups = [];
});
afterEach(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
  rmSync(directory, { recursive: true, force: true });
});

async function start(setup?: DaemonSetup): Promise<DaemonProcess> {
  const daemon = await DaemonProcess.start(setup);
  cleanups.push(async () => {
    if (daemon.process.running) await daemon.stop();
    else await daemon.stop((await daemon.process.exited).code ?? -1);
  });
  return daemon;
}

async function listenForNotifications(): Promise<{ ear: Child; socket: string }> {
  const socket = join(directory, 'notify');
  const ear = new Child('notify-listener', compileHelper('notify-listener'), [socket]);
  cleanups.push(() => ear.stop());
  await ear.said(/^LISTENING$/m);
  return { ear, socket };
}

function run(...args: string[]) {
  return runProgram(process.execPath, [program, ...args]);
}

for (const bus of ['dbus-daemon session', 'dbus-daemon system', 'dbus-broker'] as const) {
  test(`on ${bus} it answers, and a stop is exit status 0`, async () => {
    const daemon = await start({ bus });
    const echo = ['org.rpmsg', '/org/rpmsg/cm40/vdev1/channel_echo', 'org.rpmsg.Endpoint'];
    expect(await daemon.busctl('call', ...echo, 'Send', 'ay', '3', '1', '2', '3')).toMatchObject({
      status: 0,
    });
    const { stdout } = await daemon.busctl('call', ...echo, 'Receive', 'uu', '1', '5000');
    expect(stdout).toMatch(/^a\(tuutay\)t 1 0 \d+ 1 \d+ 3 1 2 3 0\n$/);
    expect(stdout.split(' ')[3]).toBe(String(firmwareAddress('echo')));
    await daemon.stop();
  });
}

test('systemd hears READY with the remotes, their states, the watchdog and STOPPING', async () => {
  const { ear, socket } = await listenForNotifications();
  const daemonEnv = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '200000' };
  const daemon = await start({ daemonEnv });
  await ear.said(/^READY=1\|STATUS=cm40 (offline|down|waiting|attached) \([012] of 2 vdevs up\)$/m);
  await ear.said(/STATUS=cm40 attached \(2 of 2 vdevs up\)$/m);
  await ear.said(/^WATCHDOG=1$/m);
  await daemon.stop();
  await ear.said(/^STOPPING=1\|STATUS=stopping$/m);
});

test('under a service manager it is ready again after a SIGKILL, and stops with status 0', async () => {
  const daemon = await start({ daemonLauncher: managerCommand(directory) });
  const manager = new ServiceManager(daemon.process);
  await manager.kill(1);
  await manager.ready(2);
  await daemon.stop();
  expect(manager.output).toMatch(/^ENDED 2 0$/m);
});

test('without a remote it warns, is ready, and its status says what to do', async () => {
  const { ear, socket } = await listenForNotifications();
  const daemon = await start({ ...noRemote, daemonEnv: { NOTIFY_SOCKET: socket } });
  await ear.said(/^READY=1\|STATUS=no remote configured: describe one in .*rpmsgd\.toml/m);
  expect(daemon.process.output).toMatch(/^warn {2}no remote configured/m);
});

test('SIGHUP reloads what may change, and refuses the rest by name', async () => {
  const { ear, socket } = await listenForNotifications();
  const daemon = await start({ daemonEnv: { NOTIFY_SOCKET: socket } });
  const file = join(daemon.scene.directory, 'rpmsgd.toml');
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, before.replace(/^window = .*$/m, 'window = 32'));
  daemon.process.kill('SIGHUP');
  await daemon.process.said(/configuration reloaded changed=\["limits\.window"\]/);
  await ear.said(/^RELOADING=1\|MONOTONIC_USEC=\d+$/m);
  const manager = ['org.rpmsg', '/org/rpmsg', 'org.rpmsg.Manager', 'Limits'];
  expect((await daemon.busctl('get-property', ...manager)).stdout).toContain('"window" 32');
  const [known] = daemon.scene.config['remote'] as { vrings: { base: number } }[];
  const base = known?.vrings.base ?? 0;
  writeFileSync(file, before.replace(`base = ${base}`, `base = ${base + 0x10000}`));
  daemon.process.kill('SIGHUP');
  const [from, to] = [base, base + 0x10000].map((address) => `0x${address.toString(16)}`);
  await daemon.process.said(new RegExp(`vrings\\.base cannot change from ${from} to ${to}`));
  const { stdout } = await daemon.busctl('get-property', ...manager);
  expect(stdout).toContain('"window" 32');
});

test('a second daemon exits 69 and names the one that holds the lock', async () => {
  const daemon = await start(noRemote);
  const args = ['--runtime-dir', daemon.scene.directory, '--bus', daemon.address];
  const config = join(daemon.scene.directory, 'rpmsgd.toml');
  const second = await run('--config', config, ...args);
  expect(second.status).toBe(69);
  expect(second.stderr).toContain(`process ${daemon.process.pid} holds it`);
  expect(second.stderr).not.toMatch(/^ +at /m);
});

test('a wrong configuration exits 78 and touches nothing', async () => {
  const file = join(directory, 'rpmsgd.toml');
  writeFileSync(file, '[[remote]]\nname = "cm40"\nplatform = "sim"\nsoc = "imx8qxp"\nvdevs = 9\n');
  const runtime = join(directory, 'run');
  const result = await run('--config', file, '--runtime-dir', runtime);
  expect(result.status).toBe(78);
  expect(result.stderr).toContain(`${file}: remote[0].vdevs = 9: a remote has at most 8 vdevs`);
  expect(existsSync(runtime)).toBe(false);
});

test('a socket that is not there exits 69 and says which', async () => {
  const file = join(directory, 'rpmsgd.toml');
  const socket = join(directory, 'none.sock');
  const remote = `[[remote]]\nname = "cm40"\nplatform = "sim"\nsoc = "imx8qxp"\nsocket = "${socket}"\n`;
  writeFileSync(file, remote);
  const result = await run(
    '--config',
    file,
    '--runtime-dir',
    directory,
    '--bus',
    'unix:path=/none',
  );
  expect(result.status).toBe(69);
  expect(result.stderr).toContain('cannot open remote "cm40"');
  expect(result.stderr).toContain(socket);
});

test('a bus that is not there exits 1 and names it', async () => {
  const bus = `unix:path=${join(directory, 'no-bus')}`;
  writeFileSync(join(directory, 'a.toml'), '');
  const result = await run(
    '--config',
    join(directory, 'a.toml'),
    '--runtime-dir',
    directory,
    '--bus',
    bus,
  );
  expect(result.status).toBe(1);
  expect(result.stderr).toContain(bus);
});

test('the loss of the bus exits 1', async () => {
  const daemon = await start(noRemote);
  await daemon.bus.kill();
  expect(await daemon.process.exited).toEqual({ code: 1, signal: null });
  expect(daemon.process.output).toMatch(/the bus is lost/);
});

test('the death of the simulated SoC exits 69 and is said', async () => {
  const daemon = await start();
  daemon.scene.socs[0]?.kill('SIGKILL');
  expect(await daemon.process.exited).toEqual({ code: 69, signal: null });
  expect(daemon.process.output).toMatch(/error its board is gone: exiting remote=cm40/);
});

test('a bad word on the command line exits 64', async () => {
  const result = await run('--log-level', 'loud');
  expect(result.status).toBe(64);
  expect(result.stderr).toContain('--log-level loud must be one of');
});

test('versions of program and bus API are printed', async () => {
  const { status, stdout } = await run('--version');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^rpmsgd \d+\.\d+\.\d+ \(bus API version 1\)\n$/);
});
