// SPDX-License-Identifier: Apache-2.0
// The life of the packages: upgrade under traffic, downgrade, removal, purge.

import { expect, test } from 'vitest';
import { sharedMachine } from './support/fixture.ts';
import {
  echo,
  installFiles,
  packageFile,
  putFile,
  repackage,
  simulatedMachine,
  users,
  waitForEcho,
} from './support/installed.ts';
import { until } from './support/until.ts';

const machine = sharedMachine(() => simulatedMachine());
const higher = '99.0';

function installedVersion(): Promise<string> {
  return machine().must(['dpkg-query', '-W', '-f', `\${Version}`, 'rpmsgd']);
}

function both(version: string): string[] {
  return [repackage('rpmsgd', version), repackage('rpmsgd-simulator', version)];
}

/** Sends for as long as it runs; one line a message, `ok` or `failed`. */
const traffic = `#!/bin/sh
while :; do
  busctl call org.rpmsg ${echo.replace('channel_echo', 'channel_sink')} org.rpmsg.Endpoint Send ay 1 5 2>/dev/null \\
    && echo ok || echo failed
done
`;

async function countLines(word: string): Promise<number> {
  const { stdout } = await machine().exec(['grep', '-c', word, '/var/tmp/traffic.log']);
  return Number(stdout);
}

test('apt installs a higher version under traffic: restarted once, after it was unpacked', async () => {
  machine().write('/var/tmp/traffic', traffic, 0o755);
  await machine().shell('touch /var/tmp/traffic.log; chmod 666 /var/tmp/traffic.log');
  const sender = machine().start(['sh', '-c', 'exec /var/tmp/traffic >/var/tmp/traffic.log'], {
    user: users.member,
  });
  await until('messages go out', async () => (await countLines('ok')) > 5);
  const before = await machine().unit('rpmsgd');
  await installFiles(machine(), both(higher));
  expect(await installedVersion()).toBe(higher);
  const after = await machine().unit('rpmsgd');
  expect(after).toMatchObject({ ActiveState: 'active', NRestarts: '0', Result: 'success' });
  expect(after['MainPID']).not.toBe(before['MainPID']);
  const sent = await countLines('ok');
  await until('messages go out again', async () => (await countLines('ok')) > sent + 5);
  sender.kill();
  await machine().must(['pkill', '-x', 'traffic']);
  const log = await machine().must(['cat', '/var/log/dpkg.log']);
  const unpacked = log
    .split('\n')
    .filter((line) => line.includes(`status unpacked rpmsgd:amd64 ${higher}`));
  const [date, time] = unpacked[0]?.split(' ') ?? [];
  // To the second, as dpkg's log has it.
  const unpackedAt = Number(await machine().must(['date', '-d', `${date} ${time}`, '+%s']));
  const stopped = await machine().must([
    'date',
    '-d',
    after['InactiveEnterTimestamp'] ?? '',
    '+%s',
  ]);
  expect(Number(stopped)).toBeGreaterThanOrEqual(unpackedAt);
});

test('an unfinished upgrade leaves the old daemon at work', async () => {
  const { MainPID } = await machine().unit('rpmsgd');
  const files = both('99.1').map((file) => putFile(machine(), file));
  await machine().must(['dpkg', '--unpack', ...files]);
  expect(await machine().unit('rpmsgd')).toMatchObject({ ActiveState: 'active', MainPID });
  await machine().must(['dpkg', '--configure', '--pending']);
  const after = await machine().unit('rpmsgd');
  expect(after['ActiveState']).toBe('active');
  expect(after['MainPID']).not.toBe(MainPID);
});

test('a downgrade comes back to a working service with the configuration it had', async () => {
  const files = [packageFile('rpmsgd'), packageFile('rpmsgd-simulator')];
  await installFiles(machine(), files, ['--allow-downgrades']);
  expect(await installedVersion()).not.toMatch(/^99/);
  expect(await machine().unit('rpmsgd')).toMatchObject({ ActiveState: 'active' });
  await waitForEcho(machine());
});

test('removal stops it and keeps the configuration, and an installation takes it up again', async () => {
  await machine().must(['apt-get', 'remove', '--yes', 'rpmsgd', 'rpmsgd-simulator']);
  const { LoadState } = await machine().unit('rpmsgd');
  expect(LoadState).not.toBe('loaded');
  expect(await machine().exec(['pgrep', '-x', 'node'])).toMatchObject({ status: 1 });
  await machine().must(['readlink', '/etc/rpmsg/rpmsgd.toml.d/50-simulator.toml']);
  await installFiles(machine(), [packageFile('rpmsgd'), packageFile('rpmsgd-simulator')]);
  await machine().must(['systemctl', 'enable', '--quiet', '--now', 'rpmsg-simulator']);
  await machine().must(['systemctl', 'restart', 'rpmsgd']);
  await waitForEcho(machine());
});

test('purge leaves the system users and groups, and no file', async () => {
  await machine().must(['apt-get', 'purge', '--yes', 'rpmsgd', 'rpmsgd-simulator']);
  const groups = await machine().must(['getent', 'group', 'rpmsg', 'rpmsg-admin', 'rpmsgd']);
  expect(groups.trim().split('\n')).toHaveLength(3);
  await machine().must(['getent', 'passwd', 'rpmsgd', 'rpmsg-sim']);
  const find = [
    'find',
    '/etc',
    '/lib/systemd',
    '/usr',
    '/var/lib',
    '/run',
    '-xdev',
    '-name',
    '*rpmsg*',
  ];
  expect(await machine().must(find)).toBe('');
  expect(await machine().exec(['dpkg-query', '-W', 'rpmsgd'])).toMatchObject({ status: 1 });
});

test('after a purge the first installation is a first one again', async () => {
  await installFiles(machine(), [packageFile('rpmsgd')]);
  expect(await machine().unit('rpmsgd')).toMatchObject({ ActiveState: 'active', NRestarts: '0' });
});
