// SPDX-License-Identifier: Apache-2.0
// How rpmsgctl stream cuts its input into messages, prints them, and reads its options.

import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { CliStatus } from '../../src/cli/errors.ts';
import { type Cutting, messagesOf } from '../../src/cli/stream/input.ts';
import { type Printing, printed } from '../../src/cli/stream/output.ts';
import { runRpmsgctl as run } from '../support/rpmsgctl-run.ts';

async function cut(chunks: readonly string[], cutting: Partial<Cutting>) {
  const refused: string[] = [];
  const all: Cutting = {
    form: 'lines',
    sizeBytes: 8,
    hasEmptyMessages: false,
    refuse: (number, reason) => void refused.push(`${number}: ${reason}`),
    ...cutting,
  };
  const messages: string[] = [];
  const input = Readable.from(chunks.map((chunk) => Buffer.from(chunk, 'latin1')));
  for await (const message of messagesOf(input, all)) messages.push(message.toString('latin1'));
  return { messages, refused };
}

describe('lines', () => {
  test('are messages without their ends, however they come', async () => {
    const { messages } = await cut(['on', 'e\ntwo\nth', 'ree'], {});
    expect(messages).toEqual(['one', 'two', 'three']);
  });

  test('that are too long, or empty, are refused by number, and the next ones go', async () => {
    expect(await cut(['123456789', '0\n\n12345678\n'], {})).toEqual({
      messages: ['12345678'],
      refused: [
        '1: a message of 10 bytes is too long: the longest is 8',
        '2: it is empty, and without --zero-length no message is',
      ],
    });
  });

  test('that are empty are messages where these may be', async () => {
    expect((await cut(['\n\n'], { hasEmptyMessages: true })).messages).toEqual(['', '']);
  });

  test('without an end are not held beyond the longest message', async () => {
    const { refused } = await cut(Array(1000).fill('x'.repeat(1000)), {});
    expect(refused).toEqual(['1: a message of 1000000 bytes is too long: the longest is 8']);
  });
});

describe('hexadecimal lines', () => {
  test('are bytes, whose digits may stand apart', async () => {
    const { messages } = await cut(['61 62\n6364\r\n'], { form: 'hex' });
    expect(messages).toEqual(['ab', 'cd']);
  });

  test('with other characters, half a byte or too many bytes are refused', async () => {
    const { messages, refused } = await cut(['0x61\n616\n616161616161616161\n61\n'], {
      form: 'hex',
    });
    expect(messages).toEqual(['a']);
    expect(refused).toEqual([
      '1: it is not pairs of hexadecimal digits',
      '2: it is not pairs of hexadecimal digits',
      '3: a message is too long: the longest is 8',
    ]);
  });
});

test('blocks have one size, but the last one, however they come', async () => {
  const { messages } = await cut(['abc', 'defg', 'hij'], { form: 'bytes', sizeBytes: 4 });
  expect(messages).toEqual(['abcd', 'efgh', 'ij']);
});

test.each<[Printing, string, string]>([
  ['raw', 'a\n\x1b', 'a\n\x1b'],
  ['lines', 'a\x1b', 'a\x1b\n'],
  ['hex', 'a\n', '610a\n'],
  ['json', 'a\n', '{"data":[97,10]}\n'],
  ['screen', 'a', 'a\n'],
  ['screen', 'a\n', 'a\n'],
  ['screen', 'é\t\x1b[2J\x7f\u009b', 'é\t\\x1b[2J\\x7f\\x9b\n'],
  ['screen', '', '\n'],
])('printing as %s turns %j into %j', (printing, message, expected) => {
  expect(String(printed(Buffer.from(message), printing))).toBe(expected);
});

describe('wrong usage names the option and the rule', () => {
  test.each([
    [['--mode', 'rw'], '--mode is both or read or write, not "rw"'],
    [['--hold', '0'], '--hold is a number from 1 to 4294967295, not "0"'],
    [['--packet-bytes', '1e3'], '--packet-bytes is a number from 1 to 65535, not "1e3"'],
    [['--lines', '--hex'], '--lines and --hex cannot both be'],
    [['--persistent'], '--persistent is for open; stream does not know it'],
  ])('%j', async (options, message) => {
    const { status, err } = await run('stream', 'cm40/vdev0', 'echo', ...options);
    expect({ status, err }).toEqual({ status: CliStatus.usage, err: `rpmsgctl: ${message}\n` });
  });
});
