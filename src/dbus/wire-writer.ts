// SPDX-License-Identifier: Apache-2.0
// Encodes values into blocks that are filled once and handed to the stream without a copy.

import { WireError } from './errors.ts';
import { isObjectPathValid, Variant } from './message-model.ts';
import { parseSignature, parseSingleType, Type, type TypeNode } from './signature.ts';
import { writeNumber } from './wire-number.ts';

const BLOCK_BYTES = 64 * 1024;
const MAX_ARRAY_BYTES = 64 * 1024 * 1024;
const MAX_NESTING = 64;

/**
 * Messages one after another in a block. Bytes handed out by `take` are never written again: a full
 * block is left to whoever holds it and a new one begins.
 */
export class WireWriter {
  bytes = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  /** Where the next byte goes. */
  position = 0;
  /** Descriptors of the message being written, in the order of their indices. */
  fds: number[] = [];
  #messageStart = 0;
  #takenUpTo = 0;
  #nesting = 0;
  #full: Buffer[] = [];

  get messageStart(): number {
    return this.#messageStart;
  }

  /** Bytes finished and not taken. */
  get pending(): number {
    let total = this.#messageStart - this.#takenUpTo;
    for (const block of this.#full) total += block.length;
    return total;
  }

  begin(): void {
    this.#messageStart = this.position;
    this.#nesting = 0;
  }

  /** Keeps the message begun last. */
  commit(): void {
    this.#messageStart = this.position;
  }

  /** Forgets the message begun last. */
  abort(): void {
    this.fds = [];
    this.position = this.#messageStart;
  }

  /** Everything finished since the last time, in order. */
  take(): Buffer[] {
    const taken = this.#full;
    if (this.#messageStart > this.#takenUpTo) {
      taken.push(this.bytes.subarray(this.#takenUpTo, this.#messageStart));
    }
    this.#full = [];
    this.#takenUpTo = this.#messageStart;
    return taken;
  }

  /** Makes room for `size` bytes after `position`. */
  reserve(size: number): void {
    if (this.position + size <= this.bytes.length) return;
    if (this.#messageStart > this.#takenUpTo) {
      this.#full.push(this.bytes.subarray(this.#takenUpTo, this.#messageStart));
    }
    const begun = this.bytes.subarray(this.#messageStart, this.position);
    // Doubling keeps the copying of one long message linear.
    const next = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, 2 * (begun.length + size)));
    begun.copy(next);
    this.bytes = next;
    this.position = begun.length;
    this.#messageStart = 0;
    this.#takenUpTo = 0;
  }

  /** Zero bytes up to a multiple of `alignment` of the message. */
  align(alignment: number): void {
    this.reserve(alignment);
    const offset = this.position - this.#messageStart;
    let gap = ((offset + alignment - 1) & -alignment) - offset;
    while (gap-- > 0) this.bytes[this.position++] = 0;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.position++] = value;
  }

  uint32(value: number): void {
    this.align(4);
    this.reserve(4);
    this.position = this.bytes.writeUInt32LE(value, this.position);
  }

  string(text: string): void {
    if (typeof text !== 'string') throw mismatch('a string', text);
    if (text.includes('\0')) throw new WireError('a string with a zero byte cannot be sent');
    this.align(4);
    this.reserve(text.length * 3 + 5);
    const length = this.bytes.write(text, this.position + 4, 'utf8');
    this.bytes.writeUInt32LE(length, this.position);
    this.position += length + 4;
    this.bytes[this.position++] = 0;
  }

  signature(text: string): void {
    if (typeof text !== 'string') throw mismatch('a signature', text);
    parseSignature(text);
    this.reserve(text.length + 2);
    this.bytes[this.position++] = text.length;
    this.position += this.bytes.write(text, this.position, 'latin1');
    this.bytes[this.position++] = 0;
  }

  /** Any value of a type. @throws WireError naming what was expected and what was given. */
  value(type: TypeNode, value: unknown): void {
    if (type.children.length === 0 && type.code !== Type.variant) {
      this.#basic(type, value);
      return;
    }
    if (++this.#nesting > MAX_NESTING) {
      throw new WireError(`values nested more than ${MAX_NESTING} deep cannot be sent`);
    }
    if (type.code === Type.array) this.#array(type.children[0] as TypeNode, value);
    else if (type.code === Type.variant) this.#variant(value);
    else this.#struct(type, value);
    this.#nesting--;
  }

  #basic(type: TypeNode, value: unknown): void {
    switch (type.code) {
      case Type.string:
        this.string(value as string);
        return;
      case Type.objectPath:
        if (!isObjectPathValid(value)) throw mismatch('an object path', value);
        this.string(value);
        return;
      case Type.signature:
        this.signature(value as string);
        return;
      case Type.boolean:
        if (typeof value !== 'boolean') throw mismatch('a boolean', value);
        this.uint32(value ? 1 : 0);
        return;
      case Type.handle:
        if (!Number.isInteger(value) || (value as number) < 0)
          throw mismatch('a descriptor', value);
        this.uint32(this.fds.push(value as number) - 1);
        return;
      default:
        this.align(type.alignment);
        this.reserve(8);
        this.position = writeNumber(this.bytes, this.position, type, value);
    }
  }

  #variant(value: unknown): void {
    if (!(value instanceof Variant)) throw mismatch('a Variant', value);
    this.signature(value.signature);
    this.value(parseSingleType(value.signature), value.value);
  }

  #struct(type: TypeNode, value: unknown): void {
    if (!Array.isArray(value) || value.length !== type.children.length) {
      throw mismatch(`an array of ${type.children.length} values for '${type.text}'`, value);
    }
    this.align(8);
    type.children.forEach((child, i) => {
      this.value(child, value[i]);
    });
  }

  #array(element: TypeNode, value: unknown): void {
    this.uint32(0);
    const lengthAt = this.position - this.#messageStart - 4;
    this.align(element.alignment);
    const start = this.position - this.#messageStart;
    if (element.code === Type.byte && value instanceof Uint8Array) this.#copy(value);
    else if (element.code === Type.dictEntry) this.#dictionary(element, value);
    else this.#list(element, value);
    const length = this.position - this.#messageStart - start;
    if (length > MAX_ARRAY_BYTES) throw new WireError(`an array of ${length} bytes is too long`);
    this.bytes.writeUInt32LE(length, this.#messageStart + lengthAt);
  }

  #copy(value: Uint8Array): void {
    this.reserve(value.length);
    this.bytes.set(value, this.position);
    this.position += value.length;
  }

  #list(element: TypeNode, value: unknown): void {
    if (!Array.isArray(value)) throw mismatch(`an array for 'a${element.text}'`, value);
    for (const item of value) this.value(element, item);
  }

  #dictionary(entry: TypeNode, value: unknown): void {
    const [keyType, valueType] = entry.children as [TypeNode, TypeNode];
    if (typeof value !== 'object' || value === null) {
      throw mismatch(`a Map or an object for 'a${entry.text}'`, value);
    }
    if (value instanceof Map) {
      for (const [key, item] of value) this.#entry(keyType, key, valueType, item);
      return;
    }
    for (const [key, item] of Object.entries(value)) {
      this.#entry(keyType, keyFromText(keyType, key), valueType, item);
    }
  }

  #entry(keyType: TypeNode, key: unknown, valueType: TypeNode, value: unknown): void {
    this.align(8);
    this.value(keyType, key);
    this.value(valueType, value);
  }
}

function keyFromText(type: TypeNode, key: string): unknown {
  switch (type.code) {
    case Type.string:
    case Type.objectPath:
    case Type.signature:
      return key;
    case Type.boolean:
      return key === 'true' || (key === 'false' ? false : key);
    case Type.int64:
    case Type.uint64:
      return /^-?\d+$/.test(key) ? BigInt(key) : key;
    default:
      return Number(key);
  }
}

function mismatch(expected: string, got: unknown): WireError {
  return new WireError(`expected ${expected}, got ${describe(got)}`);
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'object' ? 'an object' : `${typeof value} ${String(value).slice(0, 40)}`;
}
