// SPDX-License-Identifier: Apache-2.0
// Clients that die, at any time and in any way: nothing of theirs stays behind.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RawBus } from '../support/raw-bus.ts';
import {
  channelPath,
  devicePath,
  errorOf,
  NO_ADDRESS,
  type RpmsgClient,
  SERVICE,
  until,
} from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';

const device = devicePath('cm40', 0);
const echo = channelPath('cm40', 0, 'echo');
const endpointOf = /^endpoint (\/org\/rpmsg\/cm40\/vdev0\/endpoint_\d+)$/m;

describe.each(['dbus-daemon system', 'dbus-broker'] as const)('%s', (bus) => {
  let scene: SceneClient;
  let client: RpmsgClient;

  beforeAll(async () => {
    scene = await SceneClient.start({
      bus,
      config: {
        limits: { endpoints_per_uid: 2, subscriptions_per_uid: 2, receives_per_sender: 4 },
        remote: [{ name: 'cm40', platform: 'sim', soc: 'imx8qxp', vdevs: 1 }],
      },
    });
  });
  beforeEach(async () => {
    client = await scene.client();
  });
  afterEach(() => scene.endClients());
  afterAll(() => scene?.stop());

  test('SIGKILL withdraws the endpoint and frees quotas, addresses and subscriptions', async () => {
    const removed: string[] = [];
    await client.bus.subscribe({ sender: SERVICE, member: 'InterfacesRemoved' }, ({ args }) => {
      removed.push(String(args[0]));
    });
    const doomed = scene.sdBusClient(echo, 'window=8');
    await doomed.said(endpointOf);
    const path = endpointOf.exec(doomed.output)?.[1] ?? '';
    const address = await client.get(path, 'Endpoint', 'LocalAddress');
    expect(await client.objects()).toContain(path);
    await client.open(echo);
    expect(await errorOf(client.open(echo))).toMatch(
      /^org\.rpmsg\.Error\.QuotaExceeded: .*endpoints_per_uid/,
    );
    await doomed.stop('SIGKILL');
    await until('InterfacesRemoved', () => removed.includes(path));
    expect(await client.objects()).not.toContain(path);
    expect(await errorOf(client.get(path, 'Endpoint', 'Owner'))).toMatch(/UnknownObject/);
    const again = await client.create(device, Number(address), NO_ADDRESS);
    expect(await again.get('LocalAddress')).toBe(address);
    expect(again.path).not.toBe(path);
    await again.subscribe(() => {});
    await client.endpoint(echo).subscribe(() => {});
  });

  test('a Receive that waited for a dead client takes no message from the next one', async () => {
    const raw = await RawBus.connect(scene.daemon.bus.socket);
    const body = Buffer.alloc(8);
    body.writeUInt32LE(1, 0);
    body.writeUInt32LE(20_000, 4);
    const to = { destination: SERVICE, path: echo, interface: `${SERVICE}.Endpoint` };
    raw.send({ ...to, member: 'Receive', signature: 'uu', body });
    // Calls of one client are served in order: now the one before waits.
    const peer = { ...to, interface: 'org.freedesktop.DBus.Peer', member: 'Ping' };
    expect((await raw.call(peer)).errorName).toBe('');
    raw.close();
    await until('its end', async () => {
      return !(await client.bus.callBus('NameHasOwner', 's', [raw.name]))[0];
    });
    const shared = client.endpoint(echo);
    await shared.send(Buffer.from('for the living'));
    expect((await shared.receiveData()).toString()).toBe('for the living');
  });

  test('clients killed at random moments of their lives leave everything as it was', async () => {
    const before = await client.objects();
    for (let round = 0; round < 15; round++) {
      const doomed = scene.sdBusClient(echo, 'say=x', 'order=50,100');
      const moment = new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      await Promise.race([moment, doomed.exited]);
      await doomed.stop('SIGKILL');
    }
    await until('the objects of before', async () => {
      return JSON.stringify(await client.objects()) === JSON.stringify(before);
    });
    const own = await client.open(echo);
    await client.open(echo);
    await own.send(Buffer.from('alive'));
    expect((await own.receiveData()).toString()).toBe('alive');
  });

  test('a persistent endpoint outlives its creator and belongs to whoever comes', async () => {
    const creator = await scene.client();
    const options = { persistent: ['b', true] } as const;
    const { path } = await creator.create(device, 700, 30, options);
    await creator.close();
    const found = client.endpoint(path);
    expect([await found.get('Owner'), await found.get('Persistent')]).toEqual(['', true]);
    await found.send(Buffer.from('kept'));
    expect((await found.receiveData()).toString()).toBe('kept');
    await found.close();
    expect(await client.objects()).not.toContain(path);
  });

  test('an endpoint that another client owns obeys its owner only', async () => {
    const owner = await scene.client();
    const { path } = await owner.open(echo);
    const stranger = client.endpoint(path);
    const data = Buffer.alloc(1);
    const calls = [stranger.send(data), stranger.trySend(data), stranger.receive()];
    for (const error of await Promise.all(calls.map(errorOf))) {
      expect(error).toMatch(/^org\.rpmsg\.Error\.NotOwner: .*:1\./);
    }
  });
});
