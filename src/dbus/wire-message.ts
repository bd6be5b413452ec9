// SPDX-License-Identifier: Apache-2.0
// One received message: its header decoded, its body still bytes (D-Bus specification, "Message
// Format").

import { WireError } from './errors.ts';
import type { ReceivedFd } from './received-fds.ts';
import { parseSingleType } from './signature.ts';
import { decodeBody, WireReader } from './wire-reader.ts';

export const MessageType = { call: 1, reply: 2, error: 3, signal: 4 } as const;
export const NO_REPLY_EXPECTED = 1;
export const NO_AUTO_START = 2;
/** Bytes of a header before its fields. */
export const FIXED_HEADER_BYTES = 16;
const NO_BYTES = Buffer.alloc(0);
const NO_FDS: readonly ReceivedFd[] = [];

/** Absent fields are empty strings or 0, none of which is a valid value of a field. */
export class WireMessage {
  type = 0;
  flags = 0;
  serial = 0;
  littleEndian = true;
  bodyLength = 0;
  path = '';
  interface = '';
  member = '';
  errorName = '';
  replySerial = 0;
  destination = '';
  sender = '';
  signature = '';
  /** How many descriptors the sender says it passed. */
  unixFds = 0;
  /** Those that came, where the connection receives any; closed when the message has been handled. */
  fds: readonly ReceivedFd[] = NO_FDS;
  /** Lies in the receive buffer: what is kept for long must be copied. */
  body: Buffer = NO_BYTES;
  /** The body was longer than allowed and has not been kept. */
  oversized = false;
  /** Why the header is not acceptable; empty if it is. */
  defect = '';

  get noReply(): boolean {
    return (this.flags & NO_REPLY_EXPECTED) !== 0;
  }

  /** Lets go of the receive buffer; there is no body afterwards. */
  releaseBody(): void {
    this.body = NO_BYTES;
  }

  /** The body decoded. @throws WireError */
  args(): unknown[] {
    return decodeBody(this.signature, this.body, this.littleEndian, this.fds);
  }
}

/**
 * The first 16 bytes of a message.
 * @throws WireError if this is not D-Bus version 1: there is no way to find the next message then
 */
export function decodeFixedHeader(bytes: Buffer, at: number): [WireMessage, number] {
  const message = new WireMessage();
  const order = bytes[at];
  if (order !== 0x6c && order !== 0x42) {
    throw new WireError(`a message starts with byte ${order}; it must be 'l' or 'B'`);
  }
  if (bytes[at + 3] !== 1) {
    throw new WireError(`a message of protocol version ${bytes[at + 3]}; only 1 is known`);
  }
  const little = order === 0x6c;
  message.littleEndian = little;
  message.type = bytes[at + 1] as number;
  message.flags = bytes[at + 2] as number;
  message.bodyLength = little ? bytes.readUInt32LE(at + 4) : bytes.readUInt32BE(at + 4);
  message.serial = little ? bytes.readUInt32LE(at + 8) : bytes.readUInt32BE(at + 8);
  const fields = little ? bytes.readUInt32LE(at + 12) : bytes.readUInt32BE(at + 12);
  return [message, fields];
}

type FieldReader = (message: WireMessage, reader: WireReader) => void;

// By field code: the one signature its variant may have, and where its value goes.
const FIELDS: ReadonlyMap<number, readonly [string, FieldReader]> = new Map<
  number,
  readonly [string, FieldReader]
>([
  [1, ['o', (message, reader) => (message.path = reader.objectPath())]],
  [2, ['s', (message, reader) => (message.interface = reader.string())]],
  [3, ['s', (message, reader) => (message.member = reader.string())]],
  [4, ['s', (message, reader) => (message.errorName = reader.string())]],
  [5, ['u', (message, reader) => (message.replySerial = reader.uint32())]],
  [6, ['s', (message, reader) => (message.destination = reader.string())]],
  [7, ['s', (message, reader) => (message.sender = reader.string())]],
  [8, ['g', (message, reader) => (message.signature = reader.signature())]],
  [9, ['u', (message, reader) => (message.unixFds = reader.uint32())]],
]);

/** The header fields, `length` bytes from `at`. What is wrong with them goes into `defect`. */
export function decodeFields(message: WireMessage, bytes: Buffer, at: number, length: number) {
  try {
    const reader = new WireReader(bytes, at, at + length, message.littleEndian);
    while (reader.remaining > 0) {
      reader.align(8);
      decodeField(message, reader);
    }
    message.defect = missingField(message);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    message.defect = error.message;
  }
}

function decodeField(message: WireMessage, reader: WireReader): void {
  const code = reader.byte();
  const signature = reader.signature();
  const field = FIELDS.get(code);
  if (field === undefined) {
    // Unknown fields are to be ignored, yet their length is only known by reading them.
    reader.value(parseSingleType(signature));
    return;
  }
  if (signature !== field[0]) {
    throw new WireError(`header field ${code} is of type '${signature}', not '${field[0]}'`);
  }
  field[1](message, reader);
}

/** What a header of its type lacks; empty if nothing. */
export function missingField(message: WireMessage): string {
  const { type } = message;
  if (message.serial === 0) return 'the serial is 0';
  if (message.bodyLength > 0 && message.signature === '') return 'a body without a signature';
  if (type === MessageType.call) {
    return message.path === '' || message.member === '' ? 'a call needs PATH and MEMBER' : '';
  }
  if (type === MessageType.signal) {
    return message.path === '' || message.interface === '' || message.member === ''
      ? 'a signal needs PATH, INTERFACE and MEMBER'
      : '';
  }
  if (message.replySerial === 0) return 'a reply needs REPLY_SERIAL';
  return type === MessageType.error && message.errorName === '' ? 'an error needs ERROR_NAME' : '';
}
