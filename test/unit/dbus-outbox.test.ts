// SPDX-License-Identifier: Apache-2.0
// When what is sent leaves the process: whoever gives something up for a message must do so right
// before it goes to the kernel, and whoever needs it gone hears when the kernel has it.

import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Connection } from '../../src/dbus/connection.ts';
import { writeMessage } from '../../src/dbus/message-writer.ts';
import { Outbox } from '../../src/dbus/outbox.ts';

/** A stream that takes each write when the test says so, and notes everything in order. */
class SlowStream extends Duplex {
  readonly story: string[] = [];
  readonly #waiting: ((error?: Error) => void)[] = [];

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.story.push(`write ${chunk.length}`);
    this.#waiting.push(done);
  }

  override _read(): void {}

  /** The kernel takes the write that is under way. */
  accept(error?: Error): void {
    this.#waiting.shift()?.(error);
  }
}

interface Setup {
  readonly stream: SlowStream;
  readonly outbox: Outbox;
  /** Sends a signal; its size in bytes. */
  readonly send: () => number;
}

function open(): Setup {
  const stream = new SlowStream();
  stream.on('error', () => {});
  const outbox = new Outbox(stream, undefined, { written: () => {}, failed: () => {} });
  let serial = 1;
  const send = () => {
    const before = outbox.bytes;
    writeMessage(outbox.writer, { type: 4, path: '/', interface: 'a.b', member: 'S' }, serial++);
    outbox.commit();
    return outbox.bytes - before;
  };
  return { stream, outbox, send };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a message', () => {
  it('begins to leave right before the write, and has left after it', async () => {
    const { stream, outbox, send } = open();
    const size = send();
    outbox.onceLeaving(() => stream.story.push('leaving'));
    outbox.onceWritten(() => stream.story.push('written'));
    expect(stream.story).toEqual([]);
    await turn();
    expect(stream.story).toEqual(['leaving', `write ${size}`]);
    stream.accept();
    await turn();
    expect(stream.story).toEqual(['leaving', `write ${size}`, 'written']);
  });

  it('behind others that are stuck begins to leave when they have left', async () => {
    const { stream, outbox, send } = open();
    send();
    await turn();
    send();
    outbox.onceLeaving(() => stream.story.push('leaving'));
    await turn();
    expect(stream.story).not.toContain('leaving');
    stream.accept();
    await turn();
    stream.accept();
    await turn();
    expect(stream.story).toContain('leaving');
  });

  it('that the kernel never took has not left', async () => {
    const { stream, outbox, send } = open();
    send();
    outbox.onceWritten(() => stream.story.push('written'));
    await turn();
    stream.accept(new Error('gone'));
    await turn();
    expect(stream.story).not.toContain('written');
  });

  it('is one of many: each is told in its place', async () => {
    const { stream, outbox, send } = open();
    for (const name of ['a', 'b']) {
      send();
      outbox.onceWritten(() => stream.story.push(name));
      await turn();
    }
    stream.accept();
    await turn();
    expect(stream.story.filter((word) => !word.startsWith('write'))).toEqual(['a']);
    stream.accept();
    await turn();
    expect(stream.story.filter((word) => !word.startsWith('write'))).toEqual(['a', 'b']);
  });
});

it('with nothing on its way whoever asks is told at once', () => {
  const { outbox } = open();
  let told = 0;
  outbox.onceWritten(() => told++);
  outbox.onceLeaving(() => told++);
  expect(told).toBe(2);
});

it('a connection that has ended tells nobody', () => {
  const handler = { bodyLimit: () => 0, message: () => {} };
  const connection = new Connection(new SlowStream(), handler);
  connection.on('close', () => {});
  connection.destroy(new Error('over'));
  let told = 0;
  connection.onceWritten(() => told++);
  connection.onceLeaving(() => told++);
  expect(told).toBe(0);
});
