// SPDX-License-Identifier: Apache-2.0
// What dbus-next 0.10.2 gets wrong as it comes, one test a defect, each seen through a real bus.

import { openSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Bus, BusError, connectBus, Variant } from '../../src/dbus/index.ts';
import { BUS_KINDS, type BusProcess, startBus } from '../support/bus-process.ts';
import {
  IFACE,
  OBJECT,
  ROOT,
  SERVICE,
  type Service,
  startService,
} from '../support/bus-service.ts';
import { RawBus, stringBody } from '../support/raw-bus.ts';

const PROPERTIES = 'org.freedesktop.DBus.Properties';
const ERROR = 'org.freedesktop.DBus.Error';

describe.each(BUS_KINDS)('%s', (kind) => {
  let process_: BusProcess;
  let service: Service;
  let client: Bus;
  const call = (member: string, signature = '', args: readonly unknown[] = [], iface = IFACE) =>
    client.call(SERVICE, OBJECT, iface, member, signature, args, { timeoutMs: 5_000 });
  const errorOf = async (attempt: Promise<unknown>): Promise<string> =>
    await attempt.then(
      () => 'no error',
      (error: unknown) => (error instanceof BusError ? error.name : `not a BusError: ${error}`),
    );

  beforeAll(async () => {
    process_ = await startBus(kind);
    service = await startService(process_.address);
    client = await connectBus(process_.address);
  });
  afterAll(async () => {
    await client?.close();
    await service?.bus.close();
    await process_?.stop();
  });
  beforeEach(() => {
    service.logged.length = 0;
  });

  test('1: a body with h and no descriptor gets an error reply and harms nobody', async () => {
    const raw = await RawBus.connect(process_.socket);
    const to = { destination: SERVICE, path: OBJECT };
    const body = Buffer.alloc(4);
    const ping = { ...to, interface: 'org.freedesktop.DBus.Peer', member: 'Ping' };
    expect((await raw.call({ ...ping, signature: 'h', body })).errorName).toBe(
      `${ERROR}.InvalidArgs`,
    );
    const variant = Buffer.concat([Buffer.from('01680000', 'hex'), Buffer.alloc(4)]);
    const any = { ...to, interface: IFACE, member: 'Any', signature: 'v', body: variant };
    expect((await raw.call(any)).errorName).toBe(`${ERROR}.InvalidArgs`);
    expect(await call('Echo', 's', ['still here'])).toEqual(['still here']);
    raw.close();
  });

  test('2: Set on a read-only property is refused once and changes nothing', async () => {
    const raw = await RawBus.connect(process_.socket);
    const head = Buffer.concat([stringBody(IFACE, 'Level'), Buffer.from('017500', 'hex')]);
    const body = Buffer.concat([head, align4(head), Buffer.from([9, 0, 0, 0])]);
    const to = { destination: SERVICE, path: OBJECT, interface: PROPERTIES, member: 'Set' };
    const serial = raw.send({ ...to, signature: 'ssv', body });
    expect((await raw.answer(serial)).errorName).toBe(`${ERROR}.PropertyReadOnly`);
    await raw.call({ ...to, interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });
    expect(raw.unclaimed().filter(({ replySerial }) => replySerial === serial)).toEqual([]);
    expect(service.thing.level).toBe(1);
    const read = call('Get', 'ss', [IFACE, 'Secret'], PROPERTIES);
    expect(await errorOf(read)).toBe(`${ERROR}.AccessDenied`);
    raw.close();
  });

  test('3: a handler knows who calls', async () => {
    const waiting = call('Wait');
    await expect.poll(() => service.thing.waiting.length).toBe(1);
    expect(service.thing.waiting[0]?.sender).toBe(client.name);
    await call('Release');
    await waiting;
  });

  test('4: a call that expects no reply gets none, not even an error', async () => {
    const raw = await RawBus.connect(process_.socket);
    const to = { destination: SERVICE, path: OBJECT, interface: IFACE };
    const flags = 1;
    raw.send({ ...to, flags, member: 'Echo', signature: 's', body: stringBody('x') });
    raw.send({ ...to, flags, member: 'Nonsense' });
    raw.send({ ...to, flags, member: 'Throw' });
    raw.send({ ...to, flags, path: '/nowhere', member: 'Echo' });
    raw.send({ ...to, flags, member: 'Refuse' });
    const last = await raw.call({ ...to, member: 'Echo', signature: 's', body: stringBody('y') });
    expect(last.errorName).toBe('');
    expect(raw.unclaimed().filter(({ type }) => type !== 4)).toEqual([]);
    raw.close();
  });

  test('5, 16: a bus that goes away is an event, and what waits ends in an error', async () => {
    const other = await startBus(kind);
    const doomed = await connectBus(other.address);
    const silent = await startService(other.address);
    const lost = new Promise((resolve) => doomed.once('disconnect', resolve));
    const waiting = errorOf(doomed.call(SERVICE, OBJECT, IFACE, 'Wait'));
    await expect.poll(() => silent.thing.waiting.length).toBe(1);
    await other.kill();
    expect(await waiting).toBe(`${ERROR}.Disconnected`);
    expect(await lost).toBeInstanceOf(Error);
    expect(await errorOf(doomed.call(SERVICE, OBJECT, IFACE, 'Pair'))).toBe(
      `${ERROR}.Disconnected`,
    );
    await expect.poll(() => silent.thing.vanished).toBe(1);
    await expect(connectBus(other.address)).rejects.toThrow(/cannot use the bus at/);
    await other.stop();
  });

  test('6: a descriptor in a reply is refused here when the bus did not agree to it', async () => {
    service.thing.openDescriptor = () => openSync('/dev/null', 'r');
    expect(await errorOf(call('Descriptor'))).toBe(`${ERROR}.NotSupported`);
    expect(await call('Echo', 's', ['connected'])).toEqual(['connected']);
  });

  test('7: a match rule is added once and removed with its last user', async () => {
    for (let i = 0; i < 600; i++) {
      const subscription = await client.subscribe({ path: OBJECT, member: 'Happened' }, () => {});
      subscription.close();
    }
    const heard: unknown[] = [];
    const rule = { sender: SERVICE, path: OBJECT, interface: IFACE, member: 'Happened' };
    const first = await client.subscribe(rule, ({ args }) => heard.push(args[0]));
    const second = await client.subscribe(rule, ({ args }) => heard.push(args[0]));
    second.close();
    service.tree.emitSignal(OBJECT, IFACE, 'Happened', ['x']);
    await expect.poll(() => heard).toEqual(['x']);
    first.close();
  });

  test('8: serials wrap at 2^32 and skip 0', async () => {
    const wrapping = await connectBus(process_.address, { firstSerial: 0xffffffff - 3 });
    for (let i = 0; i < 8; i++) {
      const [text] = await wrapping.call(SERVICE, OBJECT, IFACE, 'Echo', 's', [`${i}`]);
      expect(text).toBe(`${i}`);
    }
    await wrapping.close();
  });

  test('9: what a handler throws stays here', async () => {
    const failure = await call('Throw').catch((error: BusError) => error);
    expect(failure).toMatchObject({ name: `${ERROR}.Failed`, message: 'internal error' });
    expect(JSON.stringify(service.logged)).toContain('Throw');
    const wrong = await call('Wrong').catch((error: BusError) => error);
    expect(wrong).toMatchObject({ name: `${ERROR}.Failed`, message: 'internal error' });
    const refused = await call('Refuse').catch((error: BusError) => error);
    expect(refused).toMatchObject({ name: 'org.rpmsg.Error.Busy', message: 'taken by :1.9' });
  });

  test('10: each mistake of a caller has its own error', async () => {
    const at = (path: string, iface: string, member: string) =>
      errorOf(client.call(SERVICE, path, iface, member));
    const failure = await call('Echo', 'u', [1]).catch((error: BusError) => error);
    expect(failure).toMatchObject({
      name: `${ERROR}.InvalidArgs`,
      message: "Echo expects 's', got 'u'",
    });
    expect(await at('/org/rpmsg/none', IFACE, 'Echo')).toBe(`${ERROR}.UnknownObject`);
    expect(await at(OBJECT, IFACE, 'None')).toBe(`${ERROR}.UnknownMethod`);
    expect(await at(OBJECT, 'org.none', 'Echo')).toBe(`${ERROR}.UnknownInterface`);
    expect(await at('/org', IFACE, 'Echo')).toBe(`${ERROR}.UnknownInterface`);
    expect(await errorOf(call('GetAll', 's', ['org.none'], PROPERTIES))).toBe(
      `${ERROR}.UnknownInterface`,
    );
    expect(await errorOf(call('Get', 'ss', [IFACE, 'None'], PROPERTIES))).toBe(
      `${ERROR}.UnknownProperty`,
    );
    const introspect = 'org.freedesktop.DBus.Introspectable';
    expect(await at('/none', introspect, 'Introspect')).toBe(`${ERROR}.UnknownObject`);
    expect(await at('/', introspect, 'Introspect')).toBe('no error');
    expect(await call('Get', 'ss', ['', 'Level'], PROPERTIES)).toEqual([new Variant('u', 1)]);
  });

  test('10: a call without an interface finds its method by name', async () => {
    const raw = await RawBus.connect(process_.socket);
    const to = { destination: SERVICE, path: OBJECT };
    const echo = await raw.call({ ...to, member: 'Echo', signature: 's', body: stringBody('x') });
    expect(echo).toMatchObject({ errorName: '', body: stringBody('x') });
    expect((await raw.call({ ...to, member: 'Ping' })).errorName).toBe('');
    expect((await raw.call({ ...to, member: 'None' })).errorName).toBe(`${ERROR}.UnknownMethod`);
    raw.close();
  });

  test('11: introspection carries argument names, annotations and no comments', async () => {
    const [xml] = await call('Introspect', '', [], 'org.freedesktop.DBus.Introspectable');
    expect(xml).toContain('<arg name="text" type="s" direction="in"/>');
    expect(xml).toContain('EmitsChangedSignal" value="const"');
    expect(xml).not.toContain('<!--');
  });

  test('11: the ObjectManager shows objects, without the properties marked as left out', async () => {
    const manager = 'org.freedesktop.DBus.ObjectManager';
    const [objects] = await client.call(SERVICE, ROOT, manager, 'GetManagedObjects');
    const table = (objects as Record<string, Record<string, object>>)[OBJECT]?.[IFACE];
    expect(Object.keys(table ?? {}).sort()).toEqual(['Fixed', 'Knob', 'Level']);
  });

  test('11: a signal with a destination reaches that client alone', async () => {
    const heard: string[] = [];
    const bystander = await connectBus(process_.address);
    const rule = { path: OBJECT, member: 'Happened' };
    await client.subscribe(rule, ({ args }) => heard.push(`client ${args[0]}`));
    await bystander.subscribe(rule, ({ args }) => heard.push(`bystander ${args[0]}`));
    service.tree.emitSignal(OBJECT, IFACE, 'Happened', ['private'], client.name);
    service.tree.emitSignal(OBJECT, IFACE, 'Happened', ['public']);
    await expect.poll(() => heard.length).toBe(3);
    expect(heard.sort()).toEqual(['bystander public', 'client private', 'client public']);
    await bystander.close();
  });

  test('12, 13: byte arrays go out and come in whole, as Buffers', async () => {
    const payload = Buffer.from(Array.from({ length: 496 }, (_, i) => i & 255));
    service.thing.sent = [];
    await call('Send', 'ay', [payload]);
    expect(service.thing.sent).toEqual([payload]);
    const [back] = await call('Any', 'v', [new Variant('ay', payload)]);
    expect((back as Variant<Buffer>).value.equals(payload)).toBe(true);
  });

  test('14: 30 MiB to a method that does not exist are refused without being decoded', async () => {
    const raw = await RawBus.connect(process_.socket);
    const before = process.memoryUsage().rss;
    const body = Buffer.alloc(30 * 1024 * 1024 + 4);
    body.writeUInt32LE(body.length - 4);
    const to = { destination: SERVICE, path: OBJECT, interface: IFACE, signature: 'ay', body };
    const none = await raw.call({ ...to, member: 'None' });
    expect(none.errorName).toBe(`${ERROR}.UnknownMethod`);
    const send = await raw.call({ ...to, member: 'Send' });
    expect(send.errorName).toBe(`${ERROR}.LimitsExceeded`);
    // The body itself was made here, in this process, and so was the message around it.
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
    raw.close();
  });

  test('14: a method may allow more than the default', async () => {
    const batch = Array.from({ length: 256 }, () => Buffer.alloc(496));
    expect(await call('SendBatch', 'aay', [batch])).toEqual([256]);
    const tooMuch = call('SendBatch', 'aay', [[Buffer.alloc(1024 * 1024)]]);
    expect(await errorOf(tooMuch)).toBe(`${ERROR}.LimitsExceeded`);
  });

  test('15: integer keys, NaN, the least int64 and __proto__ cross the bus', async () => {
    for (const [signature, value] of [
      ['a{ut}', new Map([[7, 2n ** 64n - 1n]])],
      ['d', Number.NaN],
      ['x', -(2n ** 63n)],
    ] as const) {
      const [back] = await call('Any', 'v', [new Variant(signature, value)]);
      expect(back).toEqual(new Variant(signature, value));
    }
    const table = JSON.parse('{"__proto__": "kept"}') as Record<string, string>;
    const [back] = await call('Any', 'v', [new Variant('a{ss}', table)]);
    expect(Object.keys((back as Variant<object>).value)).toEqual(['__proto__']);
  });

  test('17: a name that moves to another owner is followed', async () => {
    const name = 'org.rpmsg.Moving';
    const heard: unknown[] = [];
    const first = await connectBus(process_.address);
    const second = await connectBus(process_.address);
    await first.acquireName(name);
    await client.subscribe({ sender: name, member: 'Here' }, ({ args }) => heard.push(args[0]));
    first.emitSignal('/', 'a.b', 'Here', 's', ['first']);
    await expect.poll(() => heard).toEqual(['first']);
    await first.close();
    await expect.poll(() => errorOf(second.acquireName(name))).toBe('no error');
    second.emitSignal('/', 'a.b', 'Here', 's', ['second']);
    await expect.poll(() => heard).toEqual(['first', 'second']);
    await second.close();
  });

  test('18: GetMachineId is an id, or an error without a stack', async () => {
    const answer = await call('GetMachineId', '', [], 'org.freedesktop.DBus.Peer').then(
      ([id]) => String(id),
      (error: BusError) => error.message,
    );
    expect(answer).toMatch(/^([0-9a-f]{32}|this machine has no machine id.*)$/);
  });

  test('19: a connection is ready when connectBus has resolved, whatever events are called', () => {
    expect(client.connected).toBe(true);
    expect(client.name).toMatch(/^:/);
  });
});

function align4(bytes: Buffer): Buffer {
  return Buffer.alloc((4 - (bytes.length % 4)) % 4);
}
