// SPDX-License-Identifier: Apache-2.0
// Headers from templates: the bytes are those of the generic writer, whatever was written before.

import { describe, expect, it } from 'vitest';
import { WireError } from '../../src/dbus/errors.ts';
import {
  MessageTemplates,
  type OutgoingMessage,
  writeMessage,
} from '../../src/dbus/message-writer.ts';
import { WireWriter } from '../../src/dbus/wire-writer.ts';
import { randomGenerator } from '../support/random.ts';

type Write = (writer: WireWriter, message: OutgoingMessage, serial: number) => void;

const generic: Write = writeMessage;

function fromTemplates(templates = new MessageTemplates()): Write {
  return (writer, message, serial) => templates.write(writer, message, serial);
}

/** Messages one after another in one block, as they lie there. */
function written(write: Write, messages: readonly OutgoingMessage[]): string {
  const writer = new WireWriter();
  messages.forEach((message, index) => {
    write(writer, message, 0xffffffff - index);
    writer.commit();
  });
  return Buffer.concat(writer.take()).toString('hex');
}

const bodies: readonly (readonly [string, readonly unknown[]])[] = [
  ['', []],
  ['s', ['why not']],
  ['ay', [Buffer.from('payload')]],
  ['tuutay', [2 ** 40 + 7, 5, 1, 123_456_789_012n, Buffer.alloc(496, 3)]],
  ['a{st}', [{ one: 1, two: 2n }]],
];

function randomMessage(below: (limit: number) => number): OutgoingMessage {
  const pick = <T>(...values: readonly T[]) => values[below(values.length)] as T;
  const [signature, body] = pick(...bodies);
  const destination = pick(undefined, ':1.7', ':1.4294967295', 'org.rpmsg');
  const type = 1 + below(4);
  if (type === 2)
    return { type, flags: 1, replySerial: 1 + below(1000), destination, signature, body };
  if (type === 3) {
    const errorName = pick('a.b.Error', 'a.b.Other');
    return { type, flags: 1, replySerial: 1 + below(9), errorName, destination, signature, body };
  }
  const path = pick('/', '/a', '/a/b_c', `/o${below(400)}`);
  const header = { type, path, interface: pick('a.b', 'a.bc'), member: pick('Do', 'Done') };
  return { ...header, flags: pick(undefined, 0, 1), destination, signature, body };
}

describe('a message from a template', () => {
  it('has the bytes that the generic writer makes, for random messages in random order', () => {
    const below = randomGenerator(20);
    const messages = Array.from({ length: 4_000 }, () => randomMessage(below));
    expect(written(fromTemplates(), messages)).toBe(written(generic, messages));
  });

  it('has its own serials and its own body', () => {
    const reply = (replySerial: number, text: string) => ({
      ...{ type: 2, flags: 1, replySerial, destination: ':1.2', signature: 's', body: [text] },
    });
    const messages = [reply(1, 'one'), reply(0xffffffff, 'another'), reply(3, '')];
    expect(written(fromTemplates(), messages)).toBe(written(generic, messages));
  });

  it('is refused as by the generic writer, and nothing of it stays', () => {
    const templates = new MessageTemplates();
    const signal = { type: 4, path: '/', interface: 'a.b', member: 'S', signature: 'u' };
    const writer = new WireWriter();
    for (const body of [[], [1, 2], [-1], ['text']]) {
      expect(() => templates.write(writer, { ...signal, body }, 1)).toThrow(WireError);
      writer.abort();
    }
    expect(writer.pending).toBe(0);
    const messages = [{ ...signal, body: [7] }];
    expect(written(fromTemplates(templates), messages)).toBe(written(generic, messages));
  });
});
