// SPDX-License-Identifier: Apache-2.0
// The arm64 package in an arm64 root, its programs under qemu's user-mode emulation: no systemd runs
// there, so the bus and the daemon are started by hand.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageFile } from './support/installed.ts';
import { makeOverlay, removeOverlay } from './support/overlay.ts';
import { surroundings } from './support/surroundings.ts';
import { until } from './support/until.ts';

const name = 'arm64';
const children: ChildProcess[] = [];
let root = '';

const environment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
};

/** Runs a program of the root and returns what it says; an Error unless it exits with 0. */
function inside(...argv: string[]): string {
  return execFileSync('chroot', [root, ...argv], {
    env: environment,
    encoding: 'utf8',
    timeout: 120_000,
  });
}

/** Each in a process group of its own, with all that it starts. */
function start(...argv: string[]): void {
  const child = spawn('chroot', [root, ...argv], {
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  children.push(child);
}

/** Ends what was started, whether it still runs or not. */
function killAll(): void {
  for (const { pid } of children) {
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

beforeAll(() => {
  root = makeOverlay(name, surroundings().arm64Root);
  execFileSync('mount', ['-t', 'proc', 'proc', join(root, 'proc')]);
  execFileSync('mount', ['--bind', '/dev', join(root, 'dev')]);
  mkdirSync(join(root, 'var/tmp/packages'));
  for (const kind of ['rpmsgd', 'rpmsgd-simulator'] as const) {
    cpSync(packageFile(kind, 'arm64'), join(root, `var/tmp/packages/${kind}.deb`));
  }
}, 60_000);

afterAll(() => {
  killAll();
  if (root !== '') removeOverlay(name);
});

test('the packages install where the machine is arm64 and systemd does not run', () => {
  const files = ['rpmsgd', 'rpmsgd-simulator'].map((kind) => `/var/tmp/packages/${kind}.deb`);
  const said = inside('apt-get', 'install', '--yes', '--no-install-recommends', ...files);
  expect(said).toContain('Setting up rpmsgd');
  expect(inside('dpkg', '--print-architecture').trim()).toBe('arm64');
  expect(inside('dpkg-query', '-W', '-f', `\${Status}`, 'rpmsgd')).toBe('install ok installed');
}, 180_000);

test('its daemon, beside its own simulated SoC, answers on a bus there', async () => {
  mkdirSync(join(root, 'run/dbus'), { recursive: true });
  mkdirSync(join(root, 'run/rpmsg'), { recursive: true });
  writeFileSync(
    join(root, 'etc/rpmsg/rpmsgd.toml'),
    '[[remote]]\nname = "cm40"\nplatform = "sim"\nsoc = "imx8qxp"\nsocket = "/run/soc.sock"\nvdevs = 1\n',
  );
  start('dbus-daemon', '--system', '--nofork', '--nopidfile');
  start('rpmsg-soc', '--socket', '/run/soc.sock', '--firmware', 'cm40=/usr/bin/rpmsg-firmware');
  await until('bus and board listen', () => {
    try {
      inside('test', '-S', '/run/dbus/system_bus_socket', '-a', '-S', '/run/soc.sock');
      return true;
    } catch {
      return false;
    }
  });
  inside('sh', '-c', 'chown rpmsgd: /run/rpmsg && chmod 666 /run/soc.sock');
  start('runuser', '-u', 'rpmsgd', '--', 'rpmsgd', '--runtime-dir', '/run/rpmsg');
  await until('the daemon has the channels', () => tree().includes('/channel_echo'), 90);
  const echo = ['org.rpmsg', '/org/rpmsg/cm40/vdev0/channel_echo', 'org.rpmsg.Endpoint'];
  inside('busctl', 'call', ...echo, 'Send', 'ay', '2', '1', '2');
  expect(inside('busctl', 'call', ...echo, 'Receive', 'uu', '1', '20000')).toMatch(/ 2 1 2 0\n$/);
}, 180_000);

/** All objects; nothing while nobody has the name. */
function tree(): string {
  try {
    return inside('busctl', 'tree', '--list', 'org.rpmsg');
  } catch {
    return '';
  }
}
