// SPDX-License-Identifier: Apache-2.0
// Writes whole messages. What is sent again and again differs in its serials and its body alone, so
// its header comes from a template.

import { WireError } from './errors.ts';
import { parseSignature, type TypeNode } from './signature.ts';
import { FIXED_HEADER_BYTES } from './wire-message.ts';
import type { WireWriter } from './wire-writer.ts';

const LITTLE_ENDIAN = 0x6c;
const PROTOCOL_VERSION = 1;
const SERIAL_AT = 8;
const FIELD_LENGTH_AT = 12;
/** Where the value of REPLY_SERIAL lies when it is the first field. */
const REPLY_SERIAL_AT = 20;
const BODY_LENGTH_AT = 4;
const MAX_TEMPLATES = 256;
/** Of one path; of replies, of one receiver. */
const MAX_ALIKE = 8;

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
  const types = checkedTypes(signature, message.body ?? []);
  writer.begin();
  const fdCountAt = writeHeader(writer, message, signature, serial);
  const bodyAt = writer.position - writer.messageStart;
  writeBody(writer, types, message.body ?? []);
  finish(writer, bodyAt, fdCountAt);
}

function checkedTypes(signature: string, body: readonly unknown[]): readonly TypeNode[] {
  const types = parseSignature(signature);
  if (types.length !== body.length) {
    throw new WireError(`${body.length} values do not match the signature '${signature}'`);
  }
  return types;
}

/** Up to where the body begins. Returns what writeFields() does. */
function writeHeader(
  writer: WireWriter,
  message: OutgoingMessage,
  signature: string,
  serial: number,
): number {
  writeFixedHeader(writer, message.type, message.flags ?? 0, serial);
  const fdCountAt = writeFields(writer, message, signature);
  const start = writer.messageStart;
  writer.bytes.writeUInt32LE(writer.position - start - FIXED_HEADER_BYTES, start + FIELD_LENGTH_AT);
  writer.align(8);
  return fdCountAt;
}

function writeBody(writer: WireWriter, types: readonly TypeNode[], body: readonly unknown[]): void {
  for (let i = 0; i < types.length; i++) writer.value(types[i] as TypeNode, body[i]);
}

function finish(writer: WireWriter, bodyAt: number, fdCountAt: number): void {
  const start = writer.messageStart;
  writer.bytes.writeUInt32LE(writer.position - start - bodyAt, start + BODY_LENGTH_AT);
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

interface HeaderTemplate {
  readonly message: OutgoingMessage;
  readonly types: readonly TypeNode[];
  /** Up to where the body begins. */
  readonly bytes: Buffer;
}

/** Writes what writeMessage() does, from the headers that were written last. */
export class MessageTemplates {
  readonly #byPath = new Map<string, HeaderTemplate[]>();
  #count = 0;

  write(writer: WireWriter, message: OutgoingMessage, serial: number): void {
    // Where a count of descriptors stands in the header there is no template.
    if (message.signature?.includes('h')) {
      writeMessage(writer, message, serial);
      return;
    }
    const body = message.body ?? [];
    const template = this.#find(message) ?? this.#create(writer, message);
    if (template.types.length !== body.length) checkedTypes(message.signature ?? '', body);
    const size = template.bytes.length;
    writer.begin();
    writer.reserve(size);
    const { bytes, position } = writer;
    bytes.set(template.bytes, position);
    bytes.writeUInt32LE(serial, position + SERIAL_AT);
    const { replySerial } = message;
    if (replySerial !== undefined) bytes.writeUInt32LE(replySerial, position + REPLY_SERIAL_AT);
    writer.position = position + size;
    writeBody(writer, template.types, body);
    finish(writer, size, 0);
  }

  #find(message: OutgoingMessage): HeaderTemplate | undefined {
    const alike = this.#byPath.get(message.path ?? message.destination ?? '');
    if (alike === undefined) return undefined;
    for (const template of alike) {
      if (hasSameHeader(template.message, message)) return template;
    }
    return undefined;
  }

  #create(writer: WireWriter, message: OutgoingMessage): HeaderTemplate {
    const { body: _, ...header } = message;
    const signature = message.signature ?? '';
    const types = checkedTypes(signature, message.body ?? []);
    writer.begin();
    writeHeader(writer, message, signature, 0);
    const bytes = Buffer.from(writer.bytes.subarray(writer.messageStart, writer.position));
    writer.abort();
    const template = { message: header, types, bytes };
    this.#keep(template, message.path ?? message.destination ?? '');
    return template;
  }

  /** Bounded: what is dropped is made again when it is needed. */
  #keep(template: HeaderTemplate, key: string): void {
    if (this.#count >= MAX_TEMPLATES) {
      this.#byPath.clear();
      this.#count = 0;
    }
    const alike = this.#byPath.get(key) ?? [];
    if (alike.length >= MAX_ALIKE) alike.shift();
    else this.#count++;
    alike.push(template);
    this.#byPath.set(key, alike);
  }
}

/** All but the serials, which are patched, and the body. */
function hasSameHeader(one: OutgoingMessage, other: OutgoingMessage): boolean {
  return (
    one.destination === other.destination &&
    one.member === other.member &&
    one.type === other.type &&
    one.interface === other.interface &&
    one.path === other.path &&
    one.signature === other.signature &&
    one.errorName === other.errorName &&
    one.flags === other.flags &&
    (one.replySerial === undefined) === (other.replySerial === undefined)
  );
}
