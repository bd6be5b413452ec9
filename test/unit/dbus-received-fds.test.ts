// SPDX-License-Identifier: Apache-2.0
// Descriptors that come over the bus: each goes to the message it is of, and none is left open, whatever
// the bus or a peer does.

import { fstatSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BusSocket } from '../../src/addon/bus-socket.ts';
import { type Bus, connectBus, ReceivedFd } from '../../src/dbus/index.ts';
import { DescriptorBus, openNulls } from '../support/descriptor-bus.ts';
import { buildMessage, stringBody } from '../support/raw-bus.ts';

const INCONSISTENT = 'org.freedesktop.DBus.Error.InconsistentMessage';
const SIGNAL = { type: 4, path: '/', interface: 'a.b', member: 'S', sender: ':1.9' };

let peer: DescriptorBus;
let bus: Bus;
let nulls: number;

beforeEach(async () => {
  nulls = openNulls();
  peer = await DescriptorBus.start();
  bus = await connectBus(peer.address, { connectSocket: (path) => BusSocket.connect(path) });
});
afterEach(async () => {
  bus.destroy(new Error('the test is over'));
  peer.stop();
  await expect.poll(openNulls).toBe(nulls);
});

function indices(...values: number[]): Buffer {
  const body = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) body.writeUInt32LE(value, 4 * i);
  return body;
}

/** Calls, and has the bus answer the n-th call with descriptors. */
function call(options = { wantFds: true }): Promise<unknown[]> {
  return bus.call('a.b', '/', 'a.b', 'Do', '', [], options);
}

async function takeAll(reply: Promise<unknown[]>): Promise<number[]> {
  return (await reply).map((value) => (value instanceof ReceivedFd ? value.take() : -1));
}

function disconnected(): Promise<Error> {
  return new Promise((resolve) => bus.once('disconnect', resolve));
}

/** The bus has read everything: it answers a call that was sent after it. */
async function settled(serial: number): Promise<void> {
  const answered = bus.call('a.b', '/', 'a.b', 'Do');
  peer.send({ type: 2, replySerial: serial });
  await answered;
}

function close(fds: readonly number[]): void {
  for (const fd of fds) new ReceivedFd(fd).close();
}

describe('a reply', () => {
  test('hands its descriptors to the caller who wants them, in the order of its arguments', async () => {
    const reply = call();
    peer.send({ type: 2, replySerial: 2, signature: 'hh', body: indices(1, 0) }, 2);
    const fds = await takeAll(reply);
    expect(fds.map((fd) => fstatSync(fd).isCharacterDevice())).toEqual([true, true]);
    close(fds);
  });

  test('keeps nothing open for a caller who does not want them', async () => {
    const reply = call({ wantFds: false });
    peer.send({ type: 2, replySerial: 2, signature: 'h', body: indices(0) }, 1);
    await reply;
    await settled(3);
    expect(openNulls()).toBe(nulls);
  });

  test.each([
    ['names one that did not come', 'h', indices(1), 1],
    ['names one twice and another never', 'hh', indices(0, 0), 2],
    ['has one that no argument names', 'u', indices(0), 1],
    ['has one inside an array', 'ah', indices(4, 0), 1],
    ['cannot be decoded', 's', indices(9), 1],
  ])('that %s fails its call alone', async (_what, signature, body, count) => {
    const reply = call();
    peer.send({ type: 2, replySerial: 2, signature, body }, count);
    await expect(reply).rejects.toMatchObject({ name: INCONSISTENT });
    await settled(3);
    expect(openNulls()).toBe(nulls);
    expect(bus.connected).toBe(true);
  });

  test('that is an error, comes late or is of nobody keeps nothing open', async () => {
    const late = bus.call('a.b', '/', 'a.b', 'Do', '', [], { timeoutMs: 1, wantFds: true });
    await expect(late).rejects.toMatchObject({ name: 'org.freedesktop.DBus.Error.NoReply' });
    peer.send({ type: 2, replySerial: 2, signature: 'h', body: indices(0) }, 1);
    peer.send({ type: 2, replySerial: 77, signature: 'h', body: indices(0) }, 1);
    await settled(3);
    expect(openNulls()).toBe(nulls);
  });
});

describe('messages that share a read', () => {
  test('keep what is theirs, whatever came before', async () => {
    const first = call();
    const second = call();
    const signal = buildMessage({ ...SIGNAL, unixFds: 2 });
    const answer = (replySerial: number, body: Buffer) =>
      buildMessage({ type: 2, replySerial, signature: 'h', body, unixFds: 1 });
    // As one write: the kernel may not cut where messages end.
    const bytes = Buffer.concat([signal, answer(2, indices(0)), answer(3, indices(0))]);
    peer.push(bytes, 4);
    const fds = [...(await takeAll(first)), ...(await takeAll(second))];
    expect(new Set(fds).size).toBe(2);
    expect(openNulls()).toBe(nulls + 2);
    close(fds);
  });

  test('get them also when they come in pieces', async () => {
    const reply = call();
    const bytes = buildMessage({
      type: 2,
      replySerial: 2,
      signature: 'sh',
      body: Buffer.concat([stringBody('abc'), indices(0)]),
      unixFds: 1,
    });
    for (let at = 0; at < bytes.length; at++) peer.push(bytes.subarray(at, at + 1), +(at === 0));
    const [text, fd] = await reply;
    expect(text).toBe('abc');
    (fd as ReceivedFd).close();
  });

  test('lose nothing to signals and calls with descriptors that nobody takes', async () => {
    for (let i = 0; i < 50; i++) {
      peer.send({ ...SIGNAL, signature: 'h', body: indices(0) }, 3);
      peer.send({ type: 1, path: '/', member: 'Do', serial: i + 1 }, 16);
    }
    const reply = call();
    peer.send({ type: 2, replySerial: 2, signature: 'h', body: indices(0) }, 1);
    close(await takeAll(reply));
  });
});

describe('the connection ends', () => {
  const unknownType = { ...SIGNAL, type: 9 };

  test('when a message names more descriptors than came', async () => {
    const gone = disconnected();
    peer.send({ ...SIGNAL, unixFds: 2 }, 1);
    expect((await gone).message).toBe('a message names 2 descriptors; 1 came');
  });

  test('when descriptors come that are of no message', async () => {
    const gone = disconnected();
    peer.push(buildMessage(SIGNAL), 1);
    expect((await gone).message).toMatch(/of no message/);
  });

  test('when those of a message that is skipped could be taken for those of the next', async () => {
    const gone = disconnected();
    const stray = call();
    const reply = { type: 2, replySerial: 2, signature: 'h', body: indices(0), unixFds: 1 };
    const bytes = [buildMessage({ ...unknownType, unixFds: 1 }), buildMessage(reply)];
    peer.push(Buffer.concat(bytes), 2);
    await expect(stray).rejects.toMatchObject({ name: 'org.freedesktop.DBus.Error.Disconnected' });
    expect((await gone).message).toMatch(/cannot be understood/);
  });

  test('when a flood of descriptors comes in one message without end', async () => {
    const gone = disconnected();
    const head = buildMessage({
      ...SIGNAL,
      unixFds: 1,
      body: Buffer.alloc(60_000),
      signature: 'ay',
    });
    for (let i = 0; i < 40 && bus.connected; i++) {
      peer.push(head.subarray(i, i + 1), 16);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await gone).message).toMatch(/descriptors/);
    expect(openNulls()).toBe(nulls);
  });

  test('and takes descriptors along that no call has got', async () => {
    const gone = disconnected();
    const head = buildMessage({ ...SIGNAL, unixFds: 1 });
    peer.push(head.subarray(0, 20), 1);
    await expect.poll(openNulls).toBe(nulls + 1);
    bus.destroy(new Error('mine'));
    await gone;
    expect(openNulls()).toBe(nulls);
  });
});

test('a message that is skipped without descriptors does no harm', async () => {
  const reply = call();
  peer.send({ ...SIGNAL, type: 9 });
  peer.send({ type: 2, replySerial: 2, signature: 'h', body: indices(0) }, 1);
  close(await takeAll(reply));
});

test('a bus that refuses to pass descriptors is used without', async () => {
  const refusing = await DescriptorBus.start('ERROR\r\n');
  const connectSocket = (path: string) => BusSocket.connect(path);
  const other = await connectBus(refusing.address, { connectSocket });
  expect(other.canPassFds).toBe(false);
  expect(other.name).toBe(':1.7');
  other.destroy(new Error('done'));
  refusing.stop();
});
