// SPDX-License-Identifier: Apache-2.0
// Remotes that are quiet, serve only some vdevs, send what they should not, or break a ring: what is
// counted, what is faulted, and that everything else goes on.

import { afterEach, describe, expect, test } from 'vitest';
import { firmwareCommand } from '../../packaging/dev/scene.mjs';
import type { DaemonSetup } from '../support/daemon-process.ts';
import {
  channelPath,
  devicePath,
  errorOf,
  type RpmsgClient,
  type RpmsgEndpoint,
  until,
} from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';

let scene: SceneClient;
let client: RpmsgClient;

afterEach(() => scene?.stop());

function qxp(vdevs: number, rest: object = {}) {
  return { remote: [{ name: 'cm40', platform: 'sim', soc: 'imx8qxp', vdevs, ...rest }] };
}

async function start(vdevs: number, firmware: string, setup: DaemonSetup = {}): Promise<void> {
  scene = await SceneClient.start({
    config: qxp(vdevs),
    firmware: () => firmwareCommand(vdevs, firmware),
    ...setup,
  });
  client = await scene.client();
}

async function roundTrip(endpoint: RpmsgEndpoint, text: string): Promise<void> {
  await endpoint.send(Buffer.from(text));
  expect((await endpoint.receiveData()).toString()).toBe(text);
}

describe('a quiet remote', () => {
  test.each(['dbus-daemon system', 'dbus-broker'] as const)(
    'answers the static endpoint of the configuration, on %s',
    async (bus) => {
      const endpoint = [{ vdev: 0, name: 'gateway', src: 30, dst: 30 }];
      const config = qxp(2, { endpoint });
      await start(2, '--quiet', { bus, config, channels: false });
      const paths = (await client.objects()).filter((path) => path.includes('/endpoint_'));
      expect(paths.length).toBe(1);
      const gateway = client.endpoint(paths[0] ?? '');
      expect(await gateway.get('Name')).toBe('gateway');
      expect(await gateway.get('LocalAddress')).toBe(30);
      await until('the vdev', () => gateway.get('Connected') as Promise<boolean>);
      await roundTrip(gateway, 'agreed');
      expect(await errorOf(gateway.close())).toMatch(/^org\.rpmsg\.Error\.NotSupported: /);
      expect((await client.objects()).filter((path) => path.includes('/channel_'))).toEqual([]);
    },
  );
});

test('a remote that serves two of eight vdevs is attached, and these two work', async () => {
  // OpenAMP's serves what its resource table has, and no table has gaps.
  await start(8, '--link 2,5 --behaviour rpmsg-lite', { channels: false });
  const state = (vdev: number) => client.get(devicePath('cm40', vdev), 'Device', 'State');
  for (const vdev of [2, 5]) {
    await until(`vdev ${vdev}`, async () => (await state(vdev)) === 'up');
    const path = channelPath('cm40', vdev, 'echo');
    await until('its echo', async () => (await client.objects()).includes(path));
    await roundTrip(await client.open(path), `vdev ${vdev}`);
  }
  expect(await client.get('/org/rpmsg/cm40', 'Remote', 'State')).toBe('attached');
  expect(await state(0)).toBe('offered');
  // Offered is enough to send: a quiet remote waits for us to speak.
  const idle = await client.create(devicePath('cm40', 0), 0xffffffff, 30);
  await idle.send(Buffer.from('into the ring'));
});

describe('a ring that the remote poisons', () => {
  test.each(['used-id-range', 'used-idx-jump', 'used-id-duplicate', 'short-used-len'])(
    '%s faults that vdev alone, beside seven sound ones',
    async (fault) => {
      await start(8, `--fault ${fault}:2 --vdev-fault 3`);
      const bad = await client.open(channelPath('cm40', 3, 'echo'));
      const state = () => client.get(devicePath('cm40', 3), 'Device', 'State');
      await until('the fault', async () => {
        await bad.trySend(Buffer.from('x')).catch(() => undefined);
        return (await state()) === 'faulted';
      });
      expect(await errorOf(bad.send(Buffer.from('x')))).toMatch(
        /^org\.rpmsg\.Error\.Faulted: vdev 3 of cm40 /,
      );
      expect(await bad.get('Connected')).toBe(false);
      expect(await client.get('/org/rpmsg/cm40', 'Remote', 'LastError')).toMatch(/^vdev 3: ./);
      const stats = await client.deviceStats(devicePath('cm40', 3));
      expect((stats['rx_faults'] ?? 0n) + (stats['tx_faults'] ?? 0n)).toBe(1n);
      for (const vdev of [0, 1, 2, 4, 5, 6, 7]) {
        expect(await client.get(devicePath('cm40', vdev), 'Device', 'State')).toBe('up');
        await roundTrip(await client.open(channelPath('cm40', vdev, 'echo')), `vdev ${vdev}`);
      }
      expect(await client.get('/org/rpmsg/cm40', 'Remote', 'State')).toBe('attached');
    },
  );

  test.each(['Reinitialize', 'restart'])('is sound again after a %s', async (how) => {
    await start(2, '--fault used-id-range:2 --vdev-fault 1');
    const bad = await client.open(channelPath('cm40', 1, 'echo'));
    const state = () => client.get(devicePath('cm40', 1), 'Device', 'State');
    await until('the fault', async () => {
      await bad.trySend(Buffer.from('x')).catch(() => undefined);
      return (await state()) === 'faulted';
    });
    await bad.receive(1024, 0);
    if (how === 'restart') await scene.signalFirmware('SIGKILL');
    else {
      await scene.signalFirmware('SIGUSR2');
      await client.call('/org/rpmsg/cm40', 'Remote', 'Reinitialize');
    }
    await until('the next life', () => bad.get('Connected') as Promise<boolean>);
    expect(await state()).toMatch(/^(offered|up)$/);
    await roundTrip(bad, 'sound again');
    expect(await client.get('/org/rpmsg/cm40', 'Remote', 'Generation')).toBe(2);
  });
});

describe('a bad message in a sound ring', () => {
  test.each([
    ['bad-length', 'rx_malformed'],
    ['header-len-overrun', 'rx_malformed'],
    ['unknown-dst', 'rx_no_endpoint'],
  ])('%s is counted as %s, and traffic goes on', async (fault, counter) => {
    await start(1, `--fault ${fault}:2`);
    const echo = await client.open(channelPath('cm40', 0, 'echo'));
    await roundTrip(echo, 'before');
    await echo.send(Buffer.from('spoilt'));
    await roundTrip(echo, 'after');
    expect(await client.deviceStats(devicePath('cm40', 0))).toMatchObject({
      [counter]: 1n,
      rx_faults: 0n,
      tx_faults: 0n,
    });
  });

  test('a word for a queue that is not there changes nothing', async () => {
    await start(1, '--fault bad-word:0');
    const echo = await client.open(channelPath('cm40', 0, 'echo'));
    for (let index = 0; index < 20; index++) await roundTrip(echo, `word ${index}`);
    expect(await client.get('/org/rpmsg/cm40', 'Remote', 'State')).toBe('attached');
  });
});

describe('announcements', () => {
  test.each([
    ['ns-39', 'names_malformed'],
    ['ns-41', 'names_malformed'],
    ['ns-duplicate', 'names_duplicate'],
  ])('%s is counted as %s, and the others count', async (fault, counter) => {
    await start(1, `--fault ${fault}`);
    const device = devicePath('cm40', 0);
    await until('the counter', async () => (await client.deviceStats(device))[counter] === 1n);
    await roundTrip(await client.open(channelPath('cm40', 0, 'echo')), fault);
    expect((await client.objects()).filter((path) => path.includes('channel_echo'))).toEqual([
      channelPath('cm40', 0, 'echo'),
    ]);
  });

  test('a name that is not UTF-8 is a channel with a valid path, name and its raw bytes', async () => {
    await start(1, '--fault ns-not-utf8');
    const path = await until('the channel', async () =>
      (await client.objects()).find((one) => one.includes('_ff_fe_2f_01name')),
    );
    expect(path).toMatch(/^[A-Za-z0-9_/]+$/);
    expect(await client.get(path, 'Channel', 'Name')).toBe('bad-\ufffd\ufffd/\u0001name');
    const raw = (await client.get(path, 'Channel', 'RawName')) as Buffer;
    expect(raw).toEqual(Buffer.from('bad-\xff\xfe/\x01name', 'latin1'));
  });

  test('a name of 32 bytes without an end is taken whole', async () => {
    await start(1, '--fault ns-unterminated');
    const path = channelPath('cm40', 0, 'x'.repeat(32));
    await until('the channel', async () => (await client.objects()).includes(path));
    expect(await client.get(path, 'Channel', 'Name')).toBe('x'.repeat(32));
  });
});

test('a remote that never reads its words again delays no other remote', async () => {
  const m4 = (name: string) => ({ name, platform: 'sim', soc: 'imx8qm', vdevs: 2 });
  scene = await SceneClient.start({
    bus: 'dbus-broker',
    config: { limits: { send_timeout_ms: 100 }, remote: [m4('cm40'), m4('cm41')] },
    firmware: ({ core }) => firmwareCommand(2, core === 'cm40' ? '--fault never-drain-rr' : ''),
  });
  client = await scene.client();
  const deaf = await client.open(channelPath('cm40', 0, 'echo'));
  const sound = await client.open(channelPath('cm41', 0, 'echo'));
  const outcomes = new Set<string>();
  for (let index = 0; index < 300; index++) {
    const outcome = deaf.trySend(Buffer.from('x')).then(
      () => 'sent',
      (error) => error.name,
    );
    if (index % 10 === 0) await roundTrip(sound, `trip ${index}`);
    outcomes.add(await outcome);
  }
  // Its ring takes what it can; then there is an error, and never a wait.
  expect([...outcomes].sort()).toEqual(['org.rpmsg.Error.WouldBlock', 'sent']);
  expect(await client.get('/org/rpmsg/cm41', 'Remote', 'State')).toBe('attached');
});
