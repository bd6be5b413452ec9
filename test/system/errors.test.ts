// SPDX-License-Identifier: Apache-2.0
// Bad input on the bus: each error has the name that the interface files promise, and a message that
// names the value and the rule.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Variant } from '../../src/dbus/index.ts';
import {
  channelPath,
  devicePath,
  errorOf,
  NO_ADDRESS,
  type RpmsgClient,
  SERVICE,
} from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';

const device = devicePath('cm40', 0);
const echo = channelPath('cm40', 0, 'echo');
const STANDARD = 'org\\.freedesktop\\.DBus\\.Error\\.';
const OWN = 'org\\.rpmsg\\.Error\\.';

describe.each(['dbus-daemon system', 'dbus-broker'] as const)('%s', (bus) => {
  let scene: SceneClient;
  let client: RpmsgClient;

  beforeAll(async () => {
    const endpoint = [{ vdev: 0, name: 'gateway', src: 30, dst: 30 }];
    const remote = { name: 'cm40', platform: 'sim', soc: 'imx8qxp', vdevs: 1, endpoint };
    scene = await SceneClient.start({ bus, config: { remote: [remote] } });
  });
  beforeEach(async () => {
    client = await scene.client();
  });
  afterEach(() => scene.endClients());
  afterAll(() => scene?.stop());

  async function refuses(call: Promise<unknown>, pattern: string): Promise<void> {
    const error = await errorOf(call);
    expect(error).toMatch(new RegExp(`^${pattern}`));
    // No stack trace and no path of the program ever leaves the daemon.
    expect(error).not.toMatch(/\n\s+at |\.[tj]s\b|node_modules/);
  }

  function create(src: number, dst: number, options: Record<string, Variant> = {}, name = 'x') {
    return client.call(device, 'Device', 'CreateEndpoint', 'suua{sv}', [name, src, dst, options]);
  }

  test('source addresses that cannot be had', async () => {
    await refuses(create(53, 1), `${OWN}AddressInUse: .*53.*name service`);
    await refuses(create(30, 1), `${OWN}AddressInUse: .*30`);
    await create(1500, 1);
    await refuses(create(1500, 1), `${OWN}AddressInUse: .*(1500|0x5dc)`);
  });

  test('0xffffffff as source is the lowest free address from 1024 up', async () => {
    const taken = async () => (await client.create(device, NO_ADDRESS, 1)).get('LocalAddress');
    const [first, second] = [Number(await taken()), Number(await taken())];
    expect(first).toBeGreaterThanOrEqual(1024);
    expect(second).toBeGreaterThan(first);
    expect(second).toBeLessThan(2048);
  });

  test('sends without a peer, and to no address', async () => {
    const endpoint = await client.create(device, NO_ADDRESS, NO_ADDRESS);
    await refuses(endpoint.send(Buffer.alloc(1)), `${OWN}NotConnected: .*no peer address`);
    await refuses(endpoint.trySend(Buffer.alloc(1)), `${OWN}NotConnected: `);
    await refuses(
      endpoint.sendTo(Buffer.alloc(1), NO_ADDRESS),
      `${OWN}NoSuchAddress: .*0xffffffff`,
    );
    expect(await endpoint.get('Connected')).toBe(false);
    // The first message that comes makes its source the peer.
    await endpoint.sendTo(Buffer.from('hello'), 30);
    expect((await endpoint.receiveData()).toString()).toBe('hello');
    await endpoint.send(Buffer.from('again'));
    expect((await endpoint.receiveData()).toString()).toBe('again');
  });

  test('options that are unknown, of a wrong type, or beyond a limit', async () => {
    const open = (options: Record<string, Variant>) =>
      client.call(echo, 'Channel', 'Open', 'a{sv}', [options]);
    await refuses(open({ speed: new Variant('u', 9) }), `${STANDARD}InvalidArgs: .*speed`);
    await refuses(open({ rx_queue: new Variant('s', '9') }), `${STANDARD}InvalidArgs: .*rx_queue`);
    await refuses(open({ rx_queue: new Variant('u', 0) }), `${STANDARD}InvalidArgs: .*rx_queue`);
    await refuses(
      open({ rx_queue: new Variant('u', 4096) }),
      `${STANDARD}InvalidArgs: .*(4096.*1024|1024.*4096)`,
    );
    await refuses(
      create(NO_ADDRESS, 1, { announce: new Variant('b', true) }, 'n'.repeat(33)),
      `${STANDARD}InvalidArgs: .*\\b3[123]\\b`,
    );
  });

  test('timeouts and counts of Receive', async () => {
    const endpoint = await client.open(echo);
    await refuses(endpoint.receive(1, 20_001), `${STANDARD}InvalidArgs: .*20001.*20000`);
    await refuses(endpoint.receive(0, 10), `${STANDARD}InvalidArgs: .*max`);
    const waiting = endpoint.receive(1, 20_000);
    await refuses(endpoint.receive(1, 10), `${OWN}Busy: `);
    await endpoint.send(Buffer.from('x'));
    expect((await waiting).messages.length).toBe(1);
    expect(await endpoint.receive(1, 0)).toEqual({ messages: [], dropped: 0n });
  });

  test('objects, interfaces, methods and properties that are not there', async () => {
    const call = (path: string, iface: string, member: string) =>
      client.bus.call(SERVICE, path, iface, member);
    await refuses(
      call('/org/rpmsg/cm41', `${SERVICE}.Remote`, 'Reinitialize'),
      `${STANDARD}UnknownObject: .*cm41`,
    );
    await refuses(
      call(`${device}/endpoint_999`, `${SERVICE}.Endpoint`, 'Close'),
      `${STANDARD}UnknownObject: .*endpoint_999`,
    );
    await refuses(
      call(device, `${SERVICE}.Channel`, 'Open'),
      `${STANDARD}UnknownInterface: .*Channel`,
    );
    await refuses(call(echo, `${SERVICE}.Endpoint`, 'Shout'), `${STANDARD}UnknownMethod: .*Shout`);
    await refuses(client.get(echo, 'Endpoint', 'Mood'), `${STANDARD}UnknownProperty: .*Mood`);
  });

  test('wrong types, and Set on what is read-only', async () => {
    const wrong = client.call(echo, 'Endpoint', 'Send', 's', ['text']);
    await refuses(
      wrong,
      `${STANDARD}InvalidArgs: .*\\bs\\b.*\\bay\\b|${STANDARD}InvalidArgs: .*\\bay\\b.*\\bs\\b`,
    );
    const properties = 'org.freedesktop.DBus.Properties';
    const args = [`${SERVICE}.Remote`, 'State', new Variant('s', 'attached')];
    const set = client.bus.call(SERVICE, '/org/rpmsg/cm40', properties, 'Set', 'ssv', args);
    await refuses(set, `${STANDARD}PropertyReadOnly: .*State`);
  });

  test('what is not supported says so', async () => {
    const shared = client.endpoint(echo);
    await refuses(shared.close(), `${OWN}NotSupported: `);
  });

  test('busctl shows the name and the message of an error', async () => {
    const call = ['call', 'org.rpmsg', device, 'org.rpmsg.Device', 'CreateEndpoint'];
    const result = await scene.daemon.busctl(...call, 'suua{sv}', 'x', '53', '1', '0');
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/^Call failed: .*53.*name service/);
  });
});
