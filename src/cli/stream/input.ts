// SPDX-License-Identifier: Apache-2.0
// How a stream of bytes is cut into messages.

import type { Readable } from 'node:stream';

export interface Cutting {
  readonly form: 'lines' | 'hex' | 'bytes';
  /** Bytes of a message: of each but the last one in form 'bytes', else of the longest. */
  readonly sizeBytes: number;
  /** A line without anything is a message without bytes; otherwise it is refused. */
  readonly hasEmptyMessages: boolean;
  /** Told of each line that is no message, and why. */
  refuse(lineNumber: number, reason: string): void;
}

/** The messages of `input`, one at a time, read as they are asked for. */
export function messagesOf(input: Readable, cutting: Cutting): AsyncGenerator<Buffer> {
  return cutting.form === 'bytes' ? blocks(input, cutting.sizeBytes) : fromLines(input, cutting);
}

async function* blocks(input: Readable, sizeBytes: number): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of input as AsyncIterable<Buffer>) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let at = 0;
    for (; bytes.length - at >= sizeBytes; at += sizeBytes)
      yield bytes.subarray(at, at + sizeBytes);
    rest = Buffer.from(bytes.subarray(at));
  }
  if (rest.length > 0) yield rest;
}

async function* fromLines(input: Readable, cutting: Cutting): AsyncGenerator<Buffer> {
  const { form, sizeBytes } = cutting;
  // Digits may stand apart; what is longer than this is too long however it is read.
  const limitBytes = form === 'hex' ? 4 * sizeBytes + 64 : sizeBytes;
  let number = 0;
  for await (const line of linesOf(input, limitBytes)) {
    number++;
    const message = form === 'hex' ? parseHex(line.kept) : line.kept;
    const objection = objectionTo(line, message, cutting);
    if (objection !== undefined) cutting.refuse(number, objection);
    else if (message !== undefined) yield message;
  }
}

function objectionTo(
  { kept, lengthBytes }: Line,
  message: Buffer | undefined,
  { form, sizeBytes, hasEmptyMessages }: Cutting,
): string | undefined {
  const isCut = lengthBytes > kept.length;
  if (isCut || (message !== undefined && message.length > sizeBytes)) {
    const length = form === 'hex' ? '' : ` of ${lengthBytes} bytes`;
    return `a message${length} is too long: the longest is ${sizeBytes}`;
  }
  if (message === undefined) return 'it is not pairs of hexadecimal digits';
  if (message.length > 0 || hasEmptyMessages) return undefined;
  return 'it is empty, and without --zero-length no message is';
}

interface Line {
  /** What was kept of it, without its end. */
  readonly kept: Buffer;
  readonly lengthBytes: number;
}

/** However long a line is, no more than `limitBytes` of it are held. */
async function* linesOf(input: Readable, limitBytes: number): AsyncGenerator<Line> {
  let parts: Buffer[] = [];
  let lengthBytes = 0;
  const take = (part: Buffer) => {
    const room = Math.max(0, limitBytes - lengthBytes);
    if (room > 0) parts.push(part.subarray(0, room));
    lengthBytes += part.length;
  };
  for await (const chunk of input as AsyncIterable<Buffer>) {
    let at = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, at)) {
      take(chunk.subarray(at, end));
      yield { kept: Buffer.concat(parts), lengthBytes };
      parts = [];
      lengthBytes = 0;
      at = end + 1;
    }
    take(chunk.subarray(at));
  }
  if (lengthBytes > 0) yield { kept: Buffer.concat(parts), lengthBytes };
}

/** Undefined if it is no hex. */
function parseHex(line: Buffer): Buffer | undefined {
  const digits = line.toString('latin1').replaceAll(/\s/g, '');
  return /^(?:[0-9a-fA-F]{2})*$/.test(digits) ? Buffer.from(digits, 'hex') : undefined;
}
