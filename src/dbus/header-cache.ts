// SPDX-License-Identifier: Apache-2.0
// The calls of one client to one method have the same header but for their serial and body length: its
// fields are decoded once, and met again by their bytes.

import { decodeFields, MessageType, missingField, type WireMessage } from './wire-message.ts';

/** Longer ones are decoded each time. */
const MAX_CACHED_BYTES = 512;
const MAX_CACHED = 256;

type Fields = Pick<
  WireMessage,
  'path' | 'interface' | 'member' | 'destination' | 'sender' | 'signature' | 'unixFds'
>;

export class HeaderCache {
  readonly #known = new Map<string, Fields>();

  /** As `decodeFields`. */
  decode(message: WireMessage, bytes: Buffer, at: number, length: number): void {
    const isCacheable =
      message.type === MessageType.call && message.littleEndian && length <= MAX_CACHED_BYTES;
    if (!isCacheable) {
      decodeFields(message, bytes, at, length);
      return;
    }
    const key = bytes.toString('latin1', at, at + length);
    const fields = this.#known.get(key);
    if (fields === undefined) {
      decodeFields(message, bytes, at, length);
      if (message.defect === '') this.#keep(key, message);
      return;
    }
    message.path = fields.path;
    message.interface = fields.interface;
    message.member = fields.member;
    message.destination = fields.destination;
    message.sender = fields.sender;
    message.signature = fields.signature;
    message.unixFds = fields.unixFds;
    // The rest of the header has a say in it, too.
    message.defect = missingField(message);
  }

  #keep(key: string, message: WireMessage): void {
    if (message.errorName !== '' || message.replySerial !== 0) return; // odd in a call, and rare
    if (this.#known.size >= MAX_CACHED) this.#known.clear();
    const { path, member, destination, sender, signature, unixFds } = message;
    const fields = { path, interface: message.interface, member, destination, sender };
    this.#known.set(key, { ...fields, signature, unixFds });
  }
}
