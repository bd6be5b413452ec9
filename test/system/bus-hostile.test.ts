// SPDX-License-Identifier: Apache-2.0
// Clients that break the rules, on real buses: they get errors or nothing, and another client's
// calls go on.

import { readdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Bus, connectBus } from '../../src/dbus/index.ts';
import { BUS_KINDS, type BusProcess, startBus } from '../support/bus-process.ts';
import { IFACE, OBJECT, SERVICE, type Service, startService } from '../support/bus-service.ts';
import { buildMessage, RawBus, stringBody } from '../support/raw-bus.ts';

const TO = { destination: SERVICE, path: OBJECT, interface: IFACE };
const ECHO = { ...TO, member: 'Echo', signature: 's', body: stringBody('raw') };
const INVALID_ARGS = 'org.freedesktop.DBus.Error.InvalidArgs';
const LIMITS_EXCEEDED = 'org.freedesktop.DBus.Error.LimitsExceeded';

describe.each(BUS_KINDS)('%s', (kind) => {
  let process_: BusProcess;
  let service: Service;
  let bystander: Bus;
  let raw: RawBus;
  const bystanderIsServed = async () => {
    const args = ['undisturbed'];
    const answer = bystander.call(SERVICE, OBJECT, IFACE, 'Echo', 's', args, { timeoutMs: 10_000 });
    expect(await answer).toEqual(args);
  };

  beforeAll(async () => {
    process_ = await startBus(kind);
    // With descriptor passing agreed, or the bus would keep descriptors away from us.
    service = await startService(process_.address, { sendFds: () => -1 });
    expect(service.bus.canPassFds).toBe(true);
    bystander = await connectBus(process_.address);
  });
  afterAll(async () => {
    await bystander?.close();
    await service?.bus.close();
    await process_?.stop();
  });
  beforeEach(async () => {
    raw = await RawBus.connect(process_.socket);
  });
  afterEach(async () => {
    raw.close();
    await bystanderIsServed();
    expect(service.bus.connected).toBe(true);
  });

  test('big-endian calls are served', async () => {
    const body = Buffer.from('0000000362696700', 'hex');
    const answer = await raw.call({ ...ECHO, bigEndian: true, body });
    expect(answer).toMatchObject({ errorName: '', body: stringBody('big') });
    const send = Buffer.from('00000003010203', 'hex');
    service.thing.sent = [];
    await raw.call({ ...TO, member: 'Send', signature: 'ay', body: send, bigEndian: true });
    expect(service.thing.sent).toEqual([Buffer.from([1, 2, 3])]);
  });

  test('serials around 2^32 are answered with the same serial', async () => {
    for (const serial of [0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 1]) {
      expect(await raw.call({ ...ECHO, serial })).toMatchObject({ replySerial: serial, type: 2 });
    }
  });

  test('wrong signatures of every kind are InvalidArgs', async () => {
    for (const [signature, body] of [
      ['u', Buffer.alloc(4)],
      ['ss', stringBody('a', 'b')],
      ['as', Buffer.alloc(4)],
      ['v', Buffer.from('01790005', 'hex')],
    ] as const) {
      expect((await raw.call({ ...ECHO, signature, body })).errorName).toBe(INVALID_ARGS);
    }
    const { signature: _signature, body: _body, ...bare } = ECHO;
    expect((await raw.call(bare)).errorName).toBe(INVALID_ARGS);
  });

  test('calls without their required headers end at the bus or in an error', async () => {
    raw.send({ destination: SERVICE, path: OBJECT, interface: IFACE });
    raw.send({ destination: SERVICE, interface: IFACE, member: 'Echo' });
    await raw.untilClosed();
  });

  test('garbage after the handshake ends that connection alone', async () => {
    raw.write(Buffer.alloc(4096, 0xa5));
    await raw.untilClosed();
  });

  test('descriptors nobody asked for are gone, and the call is served or refused', async () => {
    const passing = await RawBus.connectWithDescriptors(process_.socket);
    const before = openDescriptors();
    for (let i = 0; i < 50; i++) {
      const answer = await passing.call({ ...ECHO, unixFds: 2 }, 2);
      expect(answer).toMatchObject({ errorName: '' });
    }
    const handle = { ...TO, member: 'Any', signature: 'h', body: Buffer.alloc(4), unixFds: 1 };
    expect((await passing.call(handle, 1)).errorName).toBe(INVALID_ARGS);
    const inVariant = Buffer.concat([Buffer.from('01680000', 'hex'), Buffer.alloc(4)]);
    const any = { ...TO, member: 'Any', signature: 'v', body: inVariant, unixFds: 1 };
    expect((await passing.call(any, 1)).errorName).toBe(INVALID_ARGS);
    expect(openDescriptors()).toBe(before);
    passing.close();
  });

  test('descriptors that were not announced end that connection alone', async () => {
    const passing = await RawBus.connectWithDescriptors(process_.socket);
    passing.send(ECHO, 3);
    passing.send({ ...ECHO, unixFds: 5 }, 0);
    await bystanderIsServed();
    passing.close();
  });

  test('of 300 calls in flight each is answered, by the service or by a limit', async () => {
    const serials = Array.from({ length: 300 }, () => raw.send({ ...TO, member: 'Wait' }));
    await bystanderIsServed();
    await expect.poll(() => service.thing.waiting.length).toBeGreaterThanOrEqual(128);
    await bystanderIsServed();
    // What is beyond the service's limit or the bus's is refused at once; the rest is released.
    await expect
      .poll(() => raw.unclaimed().length + service.thing.waiting.length)
      .toBeGreaterThanOrEqual(300);
    expect(service.thing.waiting.length).toBeLessThanOrEqual(256);
    await bystander.call(SERVICE, OBJECT, IFACE, 'Release');
    const answers = await Promise.all(serials.map((serial) => raw.answer(serial)));
    const refused = answers.filter(({ errorName }) => errorName !== '');
    expect(refused.every(({ errorName }) => errorName === LIMITS_EXCEEDED)).toBe(true);
    expect(answers.length - refused.length).toBeGreaterThanOrEqual(128);
  });

  test('a client that leaves takes its waiting calls with it', async () => {
    const before = service.thing.vanished;
    for (let i = 0; i < 20; i++) raw.send({ ...TO, member: 'Wait' });
    await expect.poll(() => service.thing.waiting.length).toBe(20);
    raw.close();
    await expect.poll(() => service.thing.vanished - before).toBe(20);
    service.thing.waiting = [];
  });

  test('30 MiB bodies, one after another, delay nobody for long and stay nowhere', async () => {
    const body = Buffer.alloc(30 * 1024 * 1024);
    body.writeUInt32LE(body.length - 4);
    const message = buildMessage({ ...TO, member: 'Send', signature: 'ay', body, serial: 77 });
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 3; i++) {
      raw.write(message);
      await bystanderIsServed();
      expect((await raw.answer(77)).errorName).toBe(LIMITS_EXCEEDED);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  });

  test('signals and replies nobody asked for are dropped, whatever is in them', async () => {
    raw.send({ type: 4, destination: service.bus.name, path: '/a', interface: 'a.b', member: 'S' });
    const spoof = {
      type: 4,
      destination: service.bus.name,
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
    };
    const left = { signature: 'sss', body: stringBody(bystander.name, bystander.name, '') };
    let vanished = false;
    service.clients.onVanish(bystander.name, () => {
      vanished = true;
    });
    raw.send({ ...spoof, member: 'NameOwnerChanged', ...left });
    raw.send({ ...spoof, member: 'NameLost', signature: 's', body: stringBody(SERVICE) });
    raw.send({ type: 2, destination: service.bus.name, replySerial: 5 });
    raw.send({ type: 3, destination: service.bus.name, replySerial: 5 });
    await bystanderIsServed();
    expect(vanished).toBe(false);
  });

  test('a client that floods and never reads its replies leaves the service bounded', async () => {
    raw.stopReading();
    const before = process.memoryUsage().rss;
    const introspect = { ...TO, interface: 'org.freedesktop.DBus.Introspectable' };
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 250; i++) raw.send({ ...introspect, member: 'Introspect' });
      await bystanderIsServed();
      expect(service.bus.outgoingBytes).toBeLessThan(8 * 1024 * 1024);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  });
});

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
