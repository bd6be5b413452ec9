// SPDX-License-Identifier: Apache-2.0
// The payload that a person gives for one message: words of text or of typed values, hexadecimal
// digits, or a file.

import { open } from 'node:fs/promises';
import { usage } from '../options.ts';
import type { CommandContext, VerbOption } from '../verb.ts';
import { hexBytes, typedBytes } from './typed-words.ts';

/** For the usage lines of verbs that send. */
export const payloadUsage = 'PAYLOAD…';

export const payloadOptions: readonly VerbOption[] = [
  { name: 'hex', summary: 'PAYLOAD is hexadecimal, and what is received is printed so' },
  { name: 'file', value: 'FILE', summary: 'the payload is what FILE has; - is standard input' },
];

export const payloadDetails = `PAYLOAD is text (words are joined by a space), or values one after the other: u8:, u16:, u32:, u64:,
i8: to i64:, f32:, f64: (little-endian, several as u8:1,2), text: and hex:.
`;

/** More than any message has: a file that goes on without end is not read to it. */
const longestBytes = 65_536;

/**
 * The bytes of one message.
 * @param words what is left of the arguments
 * @throws RpmsgctlError naming what is no payload, and the rule
 */
export async function readPayload(
  { options, stdin }: CommandContext,
  words: readonly string[],
): Promise<Buffer> {
  const file = options['file'];
  if (typeof file === 'string') {
    if (words.length > 0) {
      throw usage(`the payload is in --file, so ${JSON.stringify(words[0])} means nothing`);
    }
    const bytes = file === '-' ? await readAll(stdin, '-') : await readFileOf(file);
    return options['hex'] === true ? hexBytes(bytes.toString('latin1'), file) : bytes;
  }
  if (words.length === 0) throw usage("a payload is missing; '' is a message without bytes");
  const text = words.join(' ');
  return typedBytes(words) ?? (options['hex'] === true ? hexBytes(text, text) : Buffer.from(text));
}

async function readFileOf(path: string): Promise<Buffer> {
  try {
    const handle = await open(path);
    return await readAll(handle.createReadStream(), path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : usage(`--file ${JSON.stringify(path)}: ${message}`);
  }
}

async function readAll(input: AsyncIterable<unknown>, name: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of input as AsyncIterable<Buffer>) {
    parts.push(Buffer.from(part));
    sizeBytes += part.length;
    if (sizeBytes > longestBytes) {
      throw usage(`--file ${name} has more than the ${longestBytes} bytes that a message can`);
    }
  }
  return Buffer.concat(parts);
}
