// SPDX-License-Identifier: Apache-2.0
// Bus clients that break every rule, against the real daemon: they get errors or nothing, and another
// client's messages go to the M core and back all the while.

import { readdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BUS_KINDS } from '../support/bus-process.ts';
import { buildMessage, RawBus, stringBody } from '../support/raw-bus.ts';
import { channelPath, devicePath, type RpmsgEndpoint, SERVICE } from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';

const echo = channelPath('cm40', 0, 'echo');
const TO = { destination: SERVICE, path: echo, interface: `${SERVICE}.Endpoint` };
const SEND = { ...TO, member: 'Send', signature: 'ay' };
const PROPERTIES = { ...TO, interface: 'org.freedesktop.DBus.Properties' };
const DBUS_ERROR = 'org.freedesktop.DBus.Error';

function u32(...values: number[]): Buffer {
  const body = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) body.writeUInt32LE(value, 4 * index);
  return body;
}

/** The body of Properties.Set with a u32. */
function setBody(iface: string, property: string): Buffer {
  const names = stringBody(iface, property);
  const variant = Buffer.from([1, 0x75, 0]);
  const head = Buffer.concat([names, variant]);
  return Buffer.concat([head, Buffer.alloc((4 - (head.length % 4)) % 4), u32(7)]);
}

describe.each(BUS_KINDS)('%s', (kind) => {
  let scene: SceneClient;
  let bystander: RpmsgEndpoint;
  let raw: RawBus;
  let trips = 0;

  const bystanderIsServed = async () => {
    const text = `undisturbed ${trips++}`;
    await bystander.send(Buffer.from(text));
    expect((await bystander.receiveData()).toString()).toBe(text);
  };
  const descriptors = () => readdirSync(`/proc/${scene.daemon.process.pid}/fd`).length;

  beforeAll(async () => {
    scene = await SceneClient.start({ bus: kind });
    bystander = await (await scene.client()).open(channelPath('cm40', 1, 'echo'));
  });
  beforeEach(async () => {
    raw = await RawBus.connect(scene.daemon.bus.socket);
  });
  afterEach(async () => {
    raw.close();
    await bystanderIsServed();
  });
  afterAll(() => scene?.stop());

  test('big-endian calls are served, serials near 2^32 are answered', async () => {
    const big = { ...SEND, body: Buffer.from('00000003010203', 'hex'), bigEndian: true };
    expect(await raw.call(big)).toMatchObject({ type: 2, errorName: '' });
    for (const serial of [0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]) {
      const message = { ...TO, member: 'Receive', signature: 'uu', body: u32(1, 0), serial };
      expect(await raw.call(message)).toMatchObject({ type: 2, replySerial: serial });
    }
  });

  test('wrong signatures and bodies are InvalidArgs', async () => {
    for (const [signature, body] of [
      ['s', stringBody('text')],
      ['ai', u32(4, 1)],
      ['ayu', u32(0, 7)],
      ['aay', u32(0)],
      ['v', Buffer.from('01790005', 'hex')],
    ] as const) {
      const { errorName } = await raw.call({ ...SEND, signature, body });
      expect(errorName).toBe(`${DBUS_ERROR}.InvalidArgs`);
    }
    const { signature: _, ...bare } = SEND;
    expect((await raw.call(bare)).errorName).toBe(`${DBUS_ERROR}.InvalidArgs`);
  });

  test('an h without a descriptor, and descriptors nobody asked for, leave nothing open', async () => {
    const passing = await RawBus.connectWithDescriptors(scene.daemon.bus.socket);
    const before = descriptors();
    for (let index = 0; index < 50; index++) {
      const message = { ...TO, member: 'Receive', signature: 'uu', body: u32(1, 0) };
      const answer = await passing.call({ ...message, unixFds: 2 }, 2);
      expect(answer.errorName).toBe('');
    }
    const handle = { ...SEND, signature: 'h', body: u32(0), unixFds: 1 };
    expect((await passing.call(handle, 1)).errorName).toBe(`${DBUS_ERROR}.InvalidArgs`);
    expect(descriptors()).toBe(before);
    passing.close();
    raw.send({ ...SEND, signature: 'h', body: u32(5) });
    await bystanderIsServed();
  });

  test('descriptors that were announced and not sent, or not announced, harm nobody', async () => {
    const passing = await RawBus.connectWithDescriptors(scene.daemon.bus.socket);
    const message = { ...TO, member: 'Receive', signature: 'uu', body: u32(1, 0) };
    passing.send(message, 3);
    passing.send({ ...message, unixFds: 5 }, 0);
    await bystanderIsServed();
    passing.close();
  });

  test('missing headers and garbage end that connection alone', async () => {
    raw.send({ destination: SERVICE, interface: TO.interface, member: 'Send' });
    await raw.untilClosed();
    const another = await RawBus.connect(scene.daemon.bus.socket);
    another.write(Buffer.alloc(4096, 0xa5));
    await another.untilClosed();
  });

  test('a body of 30 MiB is refused, and the daemon keeps none of it', async () => {
    const body = Buffer.alloc(30 * 1024 * 1024);
    body.writeUInt32LE(body.length - 4);
    const message = buildMessage({ ...SEND, body, serial: 77 });
    for (let index = 0; index < 3; index++) {
      raw.write(message);
      await bystanderIsServed();
      expect((await raw.answer(77)).errorName).toBe(`${DBUS_ERROR}.LimitsExceeded`);
    }
  });

  test('Set on read-only properties is refused and changes nothing', async () => {
    for (const [path, iface, property] of [
      [echo, `${SERVICE}.Endpoint`, 'LocalAddress'],
      [echo, `${SERVICE}.Channel`, 'RemoteAddress'],
      ['/org/rpmsg/cm40', `${SERVICE}.Remote`, 'Generation'],
      [devicePath('cm40', 0), `${SERVICE}.Device`, 'Index'],
    ] as const) {
      const before = await bystander.client.bus.getProperty(SERVICE, path, iface, property);
      const body = setBody(iface, property);
      const set = { ...PROPERTIES, path, member: 'Set', signature: 'ssv', body };
      expect((await raw.call(set)).errorName).toBe(`${DBUS_ERROR}.PropertyReadOnly`);
      const after = await bystander.client.bus.getProperty(SERVICE, path, iface, property);
      expect(after).toBe(before);
    }
  });

  test('of 300 calls in flight each is answered', async () => {
    const wait = { ...TO, member: 'Receive', signature: 'uu', body: u32(1, 20_000) };
    const drain = { ...wait, body: u32(1024, 0) };
    await raw.call(drain);
    const serials = Array.from({ length: 300 }, () => raw.send(wait));
    await bystanderIsServed();
    const refused = await Promise.all(serials.slice(1).map((serial) => raw.answer(serial)));
    const names = new Set(refused.map(({ errorName }) => errorName));
    for (const name of names) {
      expect(['org.rpmsg.Error.Busy', `${DBUS_ERROR}.LimitsExceeded`]).toContain(name);
    }
    const shared = bystander.client.endpoint(echo);
    await shared.send(Buffer.from('for the first'));
    expect(await raw.answer(serials[0] as number)).toMatchObject({ type: 2, errorName: '' });
  });

  test('signals and replies nobody asked for are dropped, whatever they claim', async () => {
    const destination = SERVICE;
    const bus = { type: 4, destination, path: '/org/freedesktop/DBus' };
    const spoof = { ...bus, interface: 'org.freedesktop.DBus' };
    const owner = bystander.client.bus.name;
    const left = { signature: 'sss', body: stringBody(owner, owner, '') };
    raw.send({ ...spoof, member: 'NameOwnerChanged', ...left });
    raw.send({ ...spoof, member: 'NameLost', signature: 's', body: stringBody(SERVICE) });
    raw.send({ type: 2, destination, replySerial: 5 });
    raw.send({ type: 3, destination, replySerial: 5 });
    // An endpoint whose owner were believed to be gone would be gone as well.
    await bystanderIsServed();
    expect(await bystander.get('Owner')).toBe(owner);
  });
});
