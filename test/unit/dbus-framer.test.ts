// SPDX-License-Identifier: Apache-2.0
// Messages cut from a stream, however the stream splits them and whoever wrote them.

import { describe, expect, test } from 'vitest';
import { WireError } from '../../src/dbus/errors.ts';
import { Framer, MAX_FIELD_BYTES } from '../../src/dbus/framer.ts';
import type { WireMessage } from '../../src/dbus/wire-message.ts';
import { randomGenerator } from '../support/random.ts';
import { buildMessage, type RawMessage, stringBody } from '../support/raw-bus.ts';

const CALL: RawMessage = {
  serial: 9,
  destination: ':1.1',
  path: '/a/b',
  interface: 'a.b',
  member: 'Do',
  signature: 's',
  body: stringBody('hello'),
};

function framer(limit = 65536): Framer {
  return new Framer(() => limit);
}

function drain(from: Framer): WireMessage[] {
  const messages: WireMessage[] = [];
  for (let one = from.next(); one !== undefined; one = from.next()) messages.push(one);
  return messages;
}

describe('framing', () => {
  test('a header is decoded, its body only when asked for', () => {
    const one = framer();
    one.push(buildMessage(CALL));
    const [message] = drain(one);
    expect(message).toMatchObject({
      type: 1,
      serial: 9,
      path: '/a/b',
      interface: 'a.b',
      member: 'Do',
      destination: ':1.1',
      signature: 's',
      defect: '',
    });
    expect(message?.args()).toEqual(['hello']);
  });

  test('three messages split at every position come out the same', () => {
    const second = { ...CALL, serial: 10, signature: 's', body: stringBody('x'.repeat(40)) };
    const third: RawMessage = { serial: 11, path: '/', member: 'Ping' };
    const bytes = Buffer.concat([CALL, second, third].map(buildMessage));
    for (let cut = 0; cut <= bytes.length; cut++) {
      const one = framer();
      one.push(bytes.subarray(0, cut));
      const messages = drain(one);
      one.push(bytes.subarray(cut));
      messages.push(...drain(one));
      expect(messages.map(({ serial }) => serial)).toEqual([9, 10, 11]);
      expect(messages[1]?.args()).toEqual(['x'.repeat(40)]);
    }
  });

  test('a stream of single bytes makes the same messages', () => {
    const one = framer();
    const messages: WireMessage[] = [];
    for (const byte of Buffer.concat([buildMessage(CALL), buildMessage(CALL)])) {
      one.push(Buffer.from([byte]));
      messages.push(...drain(one));
    }
    expect(messages.map((message) => message.args())).toEqual([['hello'], ['hello']]);
  });

  test('big-endian messages are understood', () => {
    const body = Buffer.from('00000005' + '68656c6c6f00', 'hex');
    const one = framer();
    one.push(buildMessage({ ...CALL, bigEndian: true, body }));
    const [message] = drain(one);
    expect(message).toMatchObject({ littleEndian: false, serial: 9, member: 'Do' });
    expect(message?.args()).toEqual(['hello']);
  });

  test('a body above the limit is skipped, not held, and the next message is found', () => {
    const one = framer(1000);
    const big = buildMessage({ ...CALL, signature: 'ay', body: Buffer.alloc(5_000_000) });
    const messages: WireMessage[] = [];
    for (let at = 0; at < big.length; at += 65536) {
      one.push(big.subarray(at, at + 65536));
      messages.push(...drain(one));
    }
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({ oversized: true, bodyLength: 5_000_000, serial: 9 });
    expect(messages[0]?.body.length).toBe(0);
    one.push(buildMessage({ ...CALL, serial: 10 }));
    expect(drain(one).map(({ serial }) => serial)).toEqual([10]);
  });

  test('a header too long to hold, and a type not known, are skipped and counted', () => {
    const one = framer();
    one.push(buildMessage({ ...CALL, path: `/${'a'.repeat(MAX_FIELD_BYTES)}` }));
    one.push(buildMessage({ ...CALL, type: 77 }));
    one.push(buildMessage({ ...CALL, serial: 12 }));
    expect(drain(one).map(({ serial }) => serial)).toEqual([12]);
    expect(one.ignored).toBe(2);
  });

  test.each<[string, RawMessage]>([
    ['a call without a path', { member: 'Do' }],
    ['a call without a member', { path: '/' }],
    ['a signal without an interface', { type: 4, path: '/', member: 'S' }],
    ['a reply to nothing', { type: 2 }],
    ['an error without a name', { type: 3, replySerial: 1 }],
    ['serial 0', { path: '/', member: 'Do', serial: 0 }],
    ['a body without a signature', { path: '/', member: 'Do', body: Buffer.alloc(4) }],
    ['an invalid path', { path: 'a', member: 'Do' }],
  ])('%s is a defect of that message alone', (_what, message) => {
    const one = framer();
    one.push(buildMessage(message));
    one.push(buildMessage(CALL));
    const [bad, good] = drain(one);
    expect(bad?.defect).not.toBe('');
    expect(good?.args()).toEqual(['hello']);
  });

  test.each([
    ['an unknown byte order', 0, 0x58],
    ['another protocol version', 3, 2],
    ['more than 128 MiB', 7, 0xff],
  ])('%s ends the stream', (_what, at, value) => {
    const bytes = buildMessage(CALL);
    bytes[at] = value;
    const one = framer();
    one.push(bytes);
    expect(() => drain(one)).toThrow(WireError);
  });
});

describe('noise', () => {
  test('mutated messages make messages, defects or a WireError, never anything else', () => {
    const random = randomGenerator(1234);
    const outcomes = new Set<string>();
    for (let round = 0; round < 20_000; round++) {
      const bytes = Buffer.concat([buildMessage(CALL), buildMessage(CALL)]);
      for (let hits = 1 + random(4); hits > 0; hits--) bytes[random(bytes.length)] = random(256);
      const one = framer();
      one.push(bytes);
      outcomes.add(outcome(one));
    }
    expect([...outcomes].sort()).toEqual(['WireError', 'defect', 'messages']);
  });
});

function outcome(one: Framer): string {
  try {
    return drain(one).some(({ defect }) => defect !== '') ? 'defect' : 'messages';
  } catch (error) {
    return error instanceof WireError ? error.name : String(error);
  }
}
