// SPDX-License-Identifier: Apache-2.0
// The connection over byte streams that are not sockets, and every way a bus can fail us.

import { closeSync, fstatSync, openSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { socketAddresses } from '../../src/dbus/address.ts';
import { type Bus, BusError, connectBus, connectBusStream, Variant } from '../../src/dbus/index.ts';
import { DuplexBus, type DuplexBusOptions } from '../support/duplex-bus.ts';
import { stringBody } from '../support/raw-bus.ts';

const MIB = 1024 * 1024;

async function open(options: DuplexBusOptions = {}, busOptions = {}): Promise<[DuplexBus, Bus]> {
  const peer = new DuplexBus(options);
  return [peer, await connectBusStream(peer.stream, { timeoutMs: 1_000, ...busOptions })];
}

function disconnected(bus: Bus): Promise<Error> {
  return new Promise((resolve) => bus.once('disconnect', resolve));
}

describe('any byte stream', () => {
  test.each([1, 3, 1000])('carries calls and replies in chunks of %i bytes', async (chunk) => {
    const [peer, bus] = await open({ chunk }, { firstSerial: 1 });
    expect(bus.name).toBe(':1.7');
    const call = bus.call('a.b', '/', 'a.b', 'Do', 's', ['x']);
    const body = stringBody('answer '.repeat(50));
    peer.send({ type: 2, replySerial: 2, signature: 's', body });
    expect(await call).toEqual(['answer '.repeat(50)]);
  });

  test('writes of one turn leave as one', async () => {
    const [peer, bus] = await open();
    for (let i = 0; i < 100; i++) bus.emitSignal('/', 'a.b', 'S', 'u', [i]);
    await expect.poll(() => peer.written.length).toBe(1);
  });
});

describe('a bus that does not behave', () => {
  test.each<[string, DuplexBusOptions, RegExp]>([
    ['refuses us', { auth: 'REJECTED DBUS_COOKIE_SHA1\r\n' }, /refused authentication.*REJECTED/],
    ['does not answer', { auth: 'OK' }, /did not answer within 50 ms/],
    ['never answers Hello', { hello: false }, /did not answer within 50 ms/],
    ['is no bus', { auth: 'x'.repeat(20_000) }, /does not speak D-Bus/],
  ])('that %s is an error in bounded time', async (_what, options, message) => {
    await expect(open(options, { timeoutMs: 50 })).rejects.toThrow(message);
  });

  test('that refuses Hello is an error', async () => {
    const peer = new DuplexBus({ hello: false });
    const opening = connectBusStream(peer.stream, { timeoutMs: 1_000 });
    await new Promise((resolve) => setImmediate(resolve));
    const name = Buffer.from('org.freedesktop.DBus.Error.LimitsExceeded');
    const head = Buffer.from('6c0301010000000009000000', 'hex');
    const field = Buffer.concat([Buffer.from([4, 1, 0x73, 0, name.length, 0, 0, 0]), name]);
    const fields = Buffer.concat([Buffer.from('0501750001000000', 'hex'), field, Buffer.alloc(1)]);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(fields.length);
    const pad = Buffer.alloc((8 - (fields.length % 8)) % 8);
    peer.push(Buffer.concat([head, length, fields, pad]));
    await expect(opening).rejects.toThrow(/refused Hello: .*LimitsExceeded/);
  });

  test('that closes ends every waiting call, and says so once', async () => {
    const [peer, bus] = await open();
    const gone = disconnected(bus);
    const calls = [1, 2, 3].map((i) => bus.call('a.b', '/', 'a.b', 'Do', 'u', [i]));
    peer.end();
    expect(await gone).toBeInstanceOf(Error);
    for (const call of calls) {
      await expect(call).rejects.toMatchObject({ name: 'org.freedesktop.DBus.Error.Disconnected' });
    }
  });

  test('that sends what is not D-Bus is given up', async () => {
    const [peer, bus] = await open();
    const gone = disconnected(bus);
    peer.push(Buffer.alloc(64, 0x58));
    expect((await gone).message).toMatch(/must be 'l' or 'B'/);
  });

  test('that answers with what cannot be decoded fails that call alone', async () => {
    const [peer, bus] = await open({}, { firstSerial: 1 });
    const call = bus.call('a.b', '/', 'a.b', 'Do');
    peer.send({ type: 2, replySerial: 2, signature: 'h', body: Buffer.alloc(4) });
    await expect(call).rejects.toMatchObject({
      name: 'org.freedesktop.DBus.Error.InconsistentMessage',
    });
    expect(bus.connected).toBe(true);
  });

  test('that takes nothing is given up at 8 MiB', async () => {
    const [peer, bus] = await open();
    const gone = disconnected(bus);
    peer.stall();
    for (let i = 0; i < 20 && bus.connected; i++) {
      bus.emitSignal('/', 'a.b', 'S', 'ay', [Buffer.alloc(MIB)]);
      expect(bus.outgoingBytes).toBeLessThan(10 * MIB);
    }
    expect((await gone).message).toMatch(/has not taken/);
  });

  test('that takes nothing is not read from either, until it takes something', async () => {
    const [peer, bus] = await open();
    let served = 0;
    bus.serve({
      bodyLimit: () => 1000,
      call: (message) => {
        served++;
        bus.connection.sendReply(message, 'ay', [Buffer.alloc(MIB / 4)]);
      },
    });
    peer.stall();
    const ask = { sender: ':1.9', path: '/', member: 'Do' };
    for (let serial = 1; serial <= 100; serial++) peer.send({ ...ask, serial });
    await new Promise((resolve) => setImmediate(resolve));
    expect(served).toBeLessThan(8);
    peer.resume();
    await expect.poll(() => served).toBe(100);
    expect(bus.connected).toBe(true);
  });
});

describe('descriptors', () => {
  const openNull = () => openSync('/dev/null', 'r');
  const isOpen = (fd: number) => {
    try {
      fstatSync(fd);
      return true;
    } catch {
      return false;
    }
  };

  test('go in their place between other messages, once, and are closed here', async () => {
    const sent: { bytes: number; fds: readonly number[]; writtenBefore: number }[] = [];
    const peer = new DuplexBus({ fd: 5 });
    let refusals = 2;
    const sendFds = (socket: number, bytes: Buffer, fds: readonly number[]) => {
      expect(socket).toBe(5);
      if (refusals-- > 0) return -11;
      const writtenBefore = Buffer.concat(peer.written).length;
      sent.push({ bytes: bytes.length, fds: [...fds], writtenBefore });
      return bytes.length - 10;
    };
    const bus = await connectBusStream(peer.stream, { timeoutMs: 1_000, sendFds });
    const fd = openNull();
    bus.emitSignal('/', 'a.b', 'Before', 's', ['1']);
    bus.emitSignal('/', 'a.b', 'Passing', 'hs', [fd, 'tail of the message']);
    bus.emitSignal('/', 'a.b', 'After', 's', ['2']);
    await expect.poll(() => Buffer.concat(peer.written).includes('After')).toBe(true);
    expect(sent).toHaveLength(1);
    expect(sent[0]?.fds).toEqual([fd]);
    const text = Buffer.concat(peer.written).toString('latin1');
    expect(sent[0]?.writtenBefore).toBe(text.indexOf('message\0') - 2);
    expect(text.indexOf('Before')).toBeLessThan(text.indexOf('message\0'));
    expect(text.indexOf('message\0')).toBeLessThan(text.indexOf('After'));
    expect(isOpen(fd)).toBe(false);
  });

  test('are refused and closed when the bus does not pass them', async () => {
    const [, bus] = await open({ fd: 5, negotiate: 'ERROR no\r\n' }, { sendFds: () => 0 });
    expect(bus.canPassFds).toBe(false);
    const fd = openNull();
    expect(() => bus.emitSignal('/', 'a.b', 'S', 'h', [fd])).toThrow(BusError);
    expect(isOpen(fd)).toBe(false);
    expect(bus.connected).toBe(true);
  });

  test('that cannot be sent end the connection, which closes them', async () => {
    const [, bus] = await open({ fd: 5 }, { sendFds: () => -32 });
    const gone = disconnected(bus);
    const fd = openNull();
    bus.emitSignal('/', 'a.b', 'S', 'h', [fd]);
    expect((await gone).message).toContain('errno 32');
    expect(isOpen(fd)).toBe(false);
  });

  test('inside variants are refused, for the header could not count them', async () => {
    const [, bus] = await open({ fd: 5 }, { sendFds: () => 0 });
    const fd = openNull();
    expect(() => bus.emitSignal('/', 'a.b', 'S', 'v', [new Variant('h', fd)])).toThrow(/variant/);
    closeSync(fd);
  });
});

describe('addresses', () => {
  test('name paths and abstract sockets, several of them, with escapes', () => {
    const first = (address: string, env = {}) => socketAddresses(address, env)[0];
    expect(socketAddresses('unix:path=/a%20b,guid=12')).toEqual([{ path: '/a b' }]);
    expect(socketAddresses('unix:abstract=x;unix:path=/y')).toEqual([
      { path: '\0x' },
      { path: '/y' },
    ]);
    expect(first('system')).toEqual({ path: '/run/dbus/system_bus_socket' });
    expect(first('system', { DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/z' })).toEqual({ path: '/z' });
    expect(first('session', { XDG_RUNTIME_DIR: '/run/user/1' })).toEqual({
      path: '/run/user/1/bus',
    });
    expect(first('tcp:host=board,port=7000')).toEqual({ host: 'board', port: 7000 });
  });

  test.each([
    ['tcp:host=a', /no host= and port= of 1 to 65535/],
    ['tcp:host=a,port=65536', /no host= and port= of 1 to 65535/],
    ['/run/bus', /neither unix: nor tcp:/],
    ['unix:guid=1', /neither path= nor abstract=/],
    ['', /empty/],
    ['unix:path=%zz', /hexadecimal/],
  ])("'%s' is refused with what to write instead", (address, message) => {
    expect(() => socketAddresses(address)).toThrow(message);
  });

  test('without a session bus the error names the variables', () => {
    expect(() => socketAddresses('session', {})).toThrow(/DBUS_SESSION_BUS_ADDRESS/);
  });

  test('a socket that is not there is an error that names the address', async () => {
    await expect(connectBus('unix:path=/nowhere/bus')).rejects.toThrow(
      /cannot use the bus at 'unix:path=\/nowhere\/bus': .*ENOENT/,
    );
  });

  test('an abstract socket that cannot be reached is an error with the way out', async () => {
    await expect(connectBus('unix:abstract=rpmsg-nobody')).rejects.toThrow(/unix:path=/);
  });
});
