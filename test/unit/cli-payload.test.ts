// SPDX-License-Identifier: Apache-2.0
// Payloads of rpmsgctl as people write them, and as they are shown to people.

import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { describePayload } from '../../src/cli/payload/describe.ts';
import { readPayload } from '../../src/cli/payload/read.ts';
import { quoted, Terminal } from '../../src/cli/terminal.ts';
import type { CommandContext, OptionValues, Output } from '../../src/cli/verb.ts';
import { runRpmsgctl as run } from '../support/rpmsgctl-run.ts';

function read(words: readonly string[], options: OptionValues = {}, input = ''): Promise<Buffer> {
  const stdin = Readable.from(input === '' ? [] : [Buffer.from(input)]);
  return readPayload({ options, stdin } as unknown as CommandContext, words);
}

test.each([
  [['hello', 'world'], '68656c6c6f20776f726c64'],
  [[''], ''],
  [['u32:7'], '07000000'],
  [['u8:1', 'u16:0x0203', 'i8:-1'], '010302ff'],
  [['u16:1,2,3'], '010002000300'],
  [['i64:-9223372036854775808'], '0000000000000080'],
  [['u64:18446744073709551615'], 'ffffffffffffffff'],
  [['f32:1.5', 'f64:-2'], '0000c03f00000000000000c0'],
  [['text:a b', 'hex:00 ff', 'u8:9'], '61206200ff09'],
  [['http://x'], '687474703a2f2f78'],
])('%j is the message %s', async (words, hex) => {
  expect((await read(words)).toString('hex')).toBe(hex);
});

test('hexadecimal words may stand apart, and typed ones stay what they are', async () => {
  expect(await read(['01 02', 'ff'], { hex: true })).toEqual(Buffer.from([1, 2, 255]));
  expect(await read(['u16:1'], { hex: true })).toEqual(Buffer.from([1, 0]));
});

test('a file, or standard input, is the payload as it is', async () => {
  expect(await read([], { file: '-' }, 'a\0b')).toEqual(Buffer.from('a\0b'));
  expect(await read([], { file: '-', hex: true }, '61 62\n')).toEqual(Buffer.from('ab'));
});

test.each([
  [['send', 'echo'], "a payload is missing; '' is a message without bytes"],
  [['send', 'echo', 'u8:256'], '"u8:256" is no number from 0 to 255'],
  [['send', 'echo', 'i16:-32769'], '"i16:-32769" is no number from -32768 to 32767'],
  [['send', 'echo', 'u32:x'], '"u32:x" is no number from 0 to 4294967295'],
  [['send', 'echo', 'f32:1e'], '"f32:1e" is no number'],
  [['send', 'echo', 'u8:1', 'two'], '"two" has no type, and other words have'],
  [['send', 'echo', '--hex', '012'], '"012" is not pairs of hexadecimal digits'],
  [['send', 'echo', '--file', '/nonexistent/file'], '--file "/nonexistent/file": ENOENT'],
  [['send', 'echo', 'x', '--file', '-'], 'the payload is in --file, so "x" means nothing'],
  [['send', 'echo', 'x', '--to', '4294967295'], '--to is a number from 0 to 4294967294'],
  [['receive', 'echo', '--timeout', '1h'], '--timeout is a time and at most 7 days, as 500ms'],
  [['call', 'echo', 'x', '--timeout', '0'], '--timeout is a time of at least 1ms'],
  [['receive', 'a', 'b'], '"a" is no REMOTE/VDEV, as cm40/vdev0 is one'],
  [['receive', 'cm40/vdev0'], 'a name is missing after cm40/vdev0'],
  [['receive', 'cm40/vdev0', 'x', '--vdev', '1'], '"cm40/vdev0" names a vdev, so --vdev means'],
  [['status', '/org/other'], '"/org/other" is no path below /org/rpmsg'],
])('%j is wrong usage, and the value and the rule are named', async (args, message) => {
  const { status, err } = await run(...args, '--bus', 'unix:path=/nonexistent/bus');
  expect(err).toContain(`rpmsgctl: ${message}`);
  expect(status).toBe(64);
});

test('a payload is shown as text, or else as bytes, and a number where it may be one', () => {
  const show = (data: string | number[]) => describePayload('echo', Buffer.from(data as string));
  expect(show('hello world!')).toBe('12 bytes: "hello world!"');
  expect(show([0])).toBe('1 byte: 00');
  expect(show([])).toBe('0 bytes');
  expect(show([1, 1, 0, 0])).toBe('4 bytes: 01 01 00 00 (u32:257)');
  expect(show([...Buffer.alloc(60, 0xff)])).toMatch(/^60 bytes: (?:ff ){48}…$/);
});

test("a packet of one of NXP's services is decoded on that service's channel alone", () => {
  const packet = Buffer.from('05010000020000000000040300000000', 'hex');
  const shown = describePayload('rpmsg-io-channel', packet);
  expect(shown).toMatch(/^16 bytes: gpio request get: .*port 3/);
  expect(describePayload('echo', packet)).toMatch(/^16 bytes: 05 01 00 /);
});

test('nothing that a terminal could obey is in what is shown', () => {
  const hostile = '\u001b]0;x\u0007\u009b31m\u202e\r\n\u200b';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const obeyed = /[\u0000-\u001f\u007f-\u009f\u200b\u202e]/;
  expect(quoted(hostile)).not.toMatch(obeyed);
  expect(describePayload('echo', Buffer.from(hostile))).not.toMatch(obeyed);
});

test('colours and width are for terminals, and NO_COLOR is obeyed', () => {
  const output = (isTTY: boolean, columns?: number) => ({ isTTY, columns }) as unknown as Output;
  const line = 'x'.repeat(100);
  expect(new Terminal(output(true, 40), {}).paint('red', 'a')).toBe('\u001b[31ma\u001b[0m');
  expect(new Terminal(output(true, 40), { NO_COLOR: '1' }).paint('red', 'a')).toBe('a');
  expect(new Terminal(output(false), {}).paint('red', 'a')).toBe('a');
  expect(new Terminal(output(true, 40), {}).fit(line)).toHaveLength(40);
  expect(new Terminal(output(true, 0), {}).fit(line)).toHaveLength(80);
  expect(new Terminal(output(false), {}).fit(line)).toBe(line);
});
