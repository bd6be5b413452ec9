// SPDX-License-Identifier: Apache-2.0
// Writes whole messages. Replies without a body, the most frequent message there is, come from a
// template per receiver.

import { WireError } from './errors.ts';
import { parseSignature } from './signature.ts';
import { FIXED_HEADER_BYTES, MessageType, NO_REPLY_EXPECTED } from './wire-message.ts';
import type { WireWriter } from './wire-writer.ts';

const LITTLE_ENDIAN = 0x6c;
const PROTOCOL_VERSION = 1;
const SERIAL_AT = 8;
const FIELD_LENGTH_AT = 12;
/** Where the value of REPLY_SERIAL lies when it is the first field. */
const REPLY_SERIAL_AT = 20;
const MAX_TEMPLATES = 64;

export interface OutgoingMessage {
  readonly type: number;
  readonly flags?: number | undefined;
  readonly path?: string | undefined;
  readonly interface?: string | undefined;
  readonly member?: string | undefined;
  readonly errorName?: string | undefined;
  readonly replySerial?: number | undefined;
  readonly destination?: string | undefined;
  readonly signature?: string | undefined;
  readonly body?: readonly unknown[] | undefined;
}

/** Writes into `writer` without committing; `writer.fds` has the body's descriptors. */
export function writeMessage(writer: WireWriter, message: OutgoingMessage, serial: number): void {
  const signature = message.signature ?? '';
  const types = parseSignature(signature);
  const body = message.body ?? [];
  if (types.length !== body.length) {
    throw new WireError(`${body.length} values do not match the signature '${signature}'`);
  }
  writer.begin();
  writeFixedHeader(writer, message.type, message.flags ?? 0, serial);
  const fdCountAt = writeFields(writer, message, signature);
  const start = writer.messageStart;
  writer.bytes.writeUInt32LE(writer.position - start - FIXED_HEADER_BYTES, start + FIELD_LENGTH_AT);
  writer.align(8);
  const bodyAt = writer.position - writer.messageStart;
  types.forEach((type, i) => {
    writer.value(type, body[i]);
  });
  finish(writer, bodyAt, fdCountAt);
}

function finish(writer: WireWriter, bodyAt: number, fdCountAt: number): void {
  const start = writer.messageStart;
  writer.bytes.writeUInt32LE(writer.position - start - bodyAt, start + 4);
  if (fdCountAt > 0) writer.bytes.writeUInt32LE(writer.fds.length, start + fdCountAt);
  else if (writer.fds.length > 0) throw new WireError('descriptors in variants cannot be sent');
}

function writeFixedHeader(writer: WireWriter, type: number, flags: number, serial: number): void {
  writer.reserve(FIXED_HEADER_BYTES);
  const { bytes, position } = writer;
  bytes[position] = LITTLE_ENDIAN;
  bytes[position + 1] = type;
  bytes[position + 2] = flags;
  bytes[position + 3] = PROTOCOL_VERSION;
  bytes.writeUInt32LE(serial, position + SERIAL_AT);
  writer.position = position + FIXED_HEADER_BYTES;
}

/** Returns where, from the message's start, the count of descriptors goes; 0 if there is none. */
function writeFields(writer: WireWriter, message: OutgoingMessage, signature: string): number {
  if (message.replySerial !== undefined) {
    startField(writer, 5, 'u');
    writer.uint32(message.replySerial);
  }
  writeText(writer, 6, 's', message.destination);
  writeText(writer, 1, 'o', message.path);
  writeText(writer, 2, 's', message.interface);
  writeText(writer, 3, 's', message.member);
  writeText(writer, 4, 's', message.errorName);
  if (signature === '') return 0;
  startField(writer, 8, 'g');
  writer.signature(signature);
  if (!signature.includes('h')) return 0;
  startField(writer, 9, 'u');
  writer.uint32(0);
  return writer.position - writer.messageStart - 4;
}

function writeText(writer: WireWriter, code: number, type: string, text: string | undefined): void {
  if (text === undefined) return;
  startField(writer, code, type);
  writer.string(text);
}

function startField(writer: WireWriter, code: number, type: string): void {
  writer.align(8);
  writer.byte(code);
  writer.signature(type);
}

/** Empty replies from templates, kept for the receivers seen last. */
export class EmptyReplies {
  readonly #templates = new Map<string, Buffer>();

  write(writer: WireWriter, destination: string, replySerial: number, serial: number): void {
    const template = this.#templates.get(destination);
    if (template === undefined) {
      this.#create(writer, destination, replySerial, serial);
      return;
    }
    writer.begin();
    writer.reserve(template.length);
    const { bytes, position } = writer;
    bytes.set(template, position);
    bytes.writeUInt32LE(serial, position + SERIAL_AT);
    bytes.writeUInt32LE(replySerial, position + REPLY_SERIAL_AT);
    writer.position = position + template.length;
  }

  #create(writer: WireWriter, destination: string, replySerial: number, serial: number): void {
    const flags = NO_REPLY_EXPECTED;
    const destinationField = destination === '' ? {} : { destination };
    const message = { type: MessageType.reply, flags, replySerial, ...destinationField };
    writeMessage(writer, message, serial);
    const bytes = writer.bytes.subarray(writer.messageStart, writer.position);
    if (this.#templates.size >= MAX_TEMPLATES) this.#templates.clear();
    this.#templates.set(destination, Buffer.from(bytes));
  }
}
