// SPDX-License-Identifier: Apache-2.0
// Cuts a byte stream into messages. Each byte is copied at most once, however the stream splits it;
// a body that is too long is skipped as it arrives and never held.

import { WireError } from './errors.ts';
import { HeaderCache } from './header-cache.ts';
import {
  decodeFixedHeader,
  FIXED_HEADER_BYTES,
  MessageType,
  type WireMessage,
} from './wire-message.ts';

/** Header fields beyond this are skipped with their message: 64 KiB. */
export const MAX_FIELD_BYTES = 64 * 1024;
const MAX_MESSAGE_BYTES = 128 * 1024 * 1024;

export class Framer {
  readonly #bodyLimit: (message: WireMessage) => number;
  readonly #headers = new HeaderCache();
  readonly #chunks: Buffer[] = [];
  /** Where the first chunk's unread bytes start. */
  #at = 0;
  #partial: Buffer | undefined;
  #partialLength = 0;
  /** The bytes `#take` found, and where they start. */
  #found: Buffer = Buffer.alloc(0);
  #foundAt = 0;
  #skip = 0;
  #message: WireMessage | undefined;
  #fieldBytes = 0;
  #fieldsDone = false;
  /** Messages skipped because of their header. */
  ignored = 0;

  /** `bodyLimit` says how many bytes a body may have, by the header. */
  constructor(bodyLimit: (message: WireMessage) => number) {
    this.#bodyLimit = bodyLimit;
  }

  /** Every byte was read and no message is begun. */
  get isIdle(): boolean {
    const isBegun = this.#message !== undefined || this.#partial !== undefined || this.#skip > 0;
    return !isBegun && this.#chunks.length === 0;
  }

  push(chunk: Buffer): void {
    if (chunk.length > 0) this.#chunks.push(chunk);
  }

  /** The next whole message, if there is one. @throws WireError when the stream is not D-Bus */
  next(): WireMessage | undefined {
    for (;;) {
      if (!this.#skipped()) return undefined;
      if (this.#message === undefined && !this.#begin()) return undefined;
      const message = this.#message;
      if (message === undefined) continue;
      if (!this.#fieldsDone && !this.#fields(message)) return undefined;
      if (message.oversized) this.#skip = message.bodyLength;
      else if (!this.#body(message)) return undefined;
      this.#message = undefined;
      this.#fieldsDone = false;
      return message;
    }
  }

  #begin(): boolean {
    if (!this.#take(FIXED_HEADER_BYTES)) return false;
    const [message, fieldBytes] = decodeFixedHeader(this.#found, this.#foundAt);
    const padded = (fieldBytes + 7) & ~7;
    if (fieldBytes > MAX_MESSAGE_BYTES || padded + message.bodyLength > MAX_MESSAGE_BYTES) {
      throw new WireError(`a message of ${fieldBytes} + ${message.bodyLength} bytes is too long`);
    }
    const known = message.type >= MessageType.call && message.type <= MessageType.signal;
    if (fieldBytes > MAX_FIELD_BYTES || !known) {
      this.ignored++;
      this.#skip = padded + message.bodyLength;
      return true;
    }
    this.#message = message;
    this.#fieldBytes = fieldBytes;
    return true;
  }

  #fields(message: WireMessage): boolean {
    if (!this.#take((this.#fieldBytes + 7) & ~7)) return false;
    this.#headers.decode(message, this.#found, this.#foundAt, this.#fieldBytes);
    this.#fieldsDone = true;
    message.oversized = message.defect !== '' || message.bodyLength > this.#bodyLimit(message);
    return true;
  }

  #body(message: WireMessage): boolean {
    const length = message.bodyLength;
    if (!this.#take(length)) return false;
    if (length > 0) message.body = this.#found.subarray(this.#foundAt, this.#foundAt + length);
    return true;
  }

  /** Drops what is to be skipped; false while more of it is to come. */
  #skipped(): boolean {
    while (this.#skip > 0) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) return false;
      const count = Math.min(this.#skip, chunk.length - this.#at);
      this.#skip -= count;
      this.#consume(chunk, count);
    }
    return true;
  }

  /** `size` bytes in one piece: in place if the chunk has them, else gathered as they come. */
  #take(size: number): boolean {
    if (size === 0) return true;
    const chunk = this.#chunks[0];
    if (this.#partial === undefined) {
      if (chunk === undefined) return false;
      if (chunk.length - this.#at >= size) {
        this.#found = chunk;
        this.#foundAt = this.#at;
        this.#consume(chunk, size);
        return true;
      }
      this.#partial = Buffer.allocUnsafeSlow(size);
      this.#partialLength = 0;
    }
    return this.#gather(this.#partial, size);
  }

  #gather(partial: Buffer, size: number): boolean {
    while (this.#partialLength < size) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) return false;
      const count = Math.min(size - this.#partialLength, chunk.length - this.#at);
      chunk.copy(partial, this.#partialLength, this.#at, this.#at + count);
      this.#partialLength += count;
      this.#consume(chunk, count);
    }
    this.#found = partial;
    this.#foundAt = 0;
    this.#partial = undefined;
    return true;
  }

  #consume(chunk: Buffer, count: number): void {
    this.#at += count;
    if (this.#at === chunk.length) {
      this.#chunks.shift();
      this.#at = 0;
    }
  }
}
