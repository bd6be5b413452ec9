// SPDX-License-Identifier: Apache-2.0
// Values as a person types them, `u32:7`, as the bytes that an M core expects: little-endian.

import { usage } from '../options.ts';

interface Integer {
  readonly sizeBytes: 1 | 2 | 4 | 8;
  readonly isSigned: boolean;
}

const integers: Readonly<Record<string, Integer>> = {
  u8: { sizeBytes: 1, isSigned: false },
  u16: { sizeBytes: 2, isSigned: false },
  u32: { sizeBytes: 4, isSigned: false },
  u64: { sizeBytes: 8, isSigned: false },
  i8: { sizeBytes: 1, isSigned: true },
  i16: { sizeBytes: 2, isSigned: true },
  i32: { sizeBytes: 4, isSigned: true },
  i64: { sizeBytes: 8, isSigned: true },
};

/** By type: what comes after its colon. */
const encoders: Readonly<Record<string, (value: string, word: string) => Buffer>> = {
  ...Object.fromEntries(
    Object.entries(integers).map(([name, integer]) => [
      name,
      (value: string, word: string) => listOf(value, (one) => integerBytes(one, integer, word)),
    ]),
  ),
  f32: (value, word) => listOf(value, (one) => floatBytes(one, 4, word)),
  f64: (value, word) => listOf(value, (one) => floatBytes(one, 8, word)),
  text: (value) => Buffer.from(value),
  hex: (value, word) => hexBytes(value, word),
};

/**
 * The values of `words` one after the other; undefined if none of them is typed.
 * @throws RpmsgctlError naming the word that is no value of its type, or has none
 */
export function typedBytes(words: readonly string[]): Buffer | undefined {
  const parts = words.map(split);
  if (parts.every((part) => part === undefined)) return undefined;
  return Buffer.concat(
    parts.map((part, index) => {
      if (part !== undefined) return part.encode(part.value, words[index] ?? '');
      const word = JSON.stringify(words[index]);
      throw usage(`${word} has no type, and other words have: write text:… for text among values`);
    }),
  );
}

/** @throws RpmsgctlError */
export function hexBytes(text: string, shown: string): Buffer {
  const digits = text.replaceAll(/\s/g, '');
  if (/^(?:[0-9a-fA-F]{2})*$/.test(digits)) return Buffer.from(digits, 'hex');
  throw usage(`${JSON.stringify(shown)} is not pairs of hexadecimal digits`);
}

function split(word: string) {
  const [, type = '', value = ''] = /^(\w+):([\s\S]*)$/.exec(word) ?? [];
  const encode = Object.hasOwn(encoders, type) ? encoders[type] : undefined;
  return encode === undefined ? undefined : { encode, value };
}

function listOf(value: string, bytesOf: (one: string) => Buffer): Buffer {
  return Buffer.concat(value.split(',').map(bytesOf));
}

function integerBytes(text: string, { sizeBytes, isSigned }: Integer, word: string): Buffer {
  const bits = BigInt(sizeBytes * 8);
  const least = isSigned ? -(1n << (bits - 1n)) : 0n;
  const most = isSigned ? (1n << (bits - 1n)) - 1n : (1n << bits) - 1n;
  const isNumber = /^-?(?:\d{1,20}|0x[0-9a-fA-F]{1,16})$/.test(text);
  const magnitude = isNumber ? BigInt(text.replace('-', '')) : 0n;
  const value = text.startsWith('-') ? -magnitude : magnitude;
  if (!isNumber || value < least || value > most) {
    throw usage(`${JSON.stringify(word)} is no number from ${least} to ${most}`);
  }
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes.subarray(0, sizeBytes);
}

function floatBytes(text: string, sizeBytes: 4 | 8, word: string): Buffer {
  const value = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text)
    ? Number(text)
    : Number.NaN;
  if (Number.isNaN(value)) throw usage(`${JSON.stringify(word)} is no number`);
  const bytes = Buffer.alloc(sizeBytes);
  if (sizeBytes === 4) bytes.writeFloatLE(value);
  else bytes.writeDoubleLE(value);
  return bytes;
}
