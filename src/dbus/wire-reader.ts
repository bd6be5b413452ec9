// SPDX-License-Identifier: Apache-2.0
// Decodes values from the wire, of either byte order. Every length is checked against what is there
// before it is used; the work is bounded by the bytes given.

import { WireError } from './errors.ts';
import { isObjectPathValid, Variant } from './message-model.ts';
import { parseSignature, parseSingleType, Type, type TypeNode } from './signature.ts';

const MAX_ARRAY_BYTES = 64 * 1024 * 1024;
const MAX_NESTING = 64;

/** Reads values from `bytes[start, end)`; `start` is where alignment counts from. */
export class WireReader {
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;
  readonly #littleEndian: boolean;
  readonly #fds: readonly unknown[];
  #at: number;
  #nesting = 0;

  constructor(
    bytes: Buffer,
    start: number,
    end: number,
    littleEndian: boolean,
    fds: readonly unknown[] = [],
  ) {
    this.#bytes = bytes;
    this.#start = start;
    this.#at = start;
    this.#end = end;
    this.#littleEndian = littleEndian;
    this.#fds = fds;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#end - this.#at;
  }

  /** Skips to a multiple of `alignment`, a power of two. */
  align(alignment: number): void {
    const offset = this.#at - this.#start;
    this.#at = this.#start + ((offset + alignment - 1) & -alignment);
    if (this.#at > this.#end) throw this.#truncated();
  }

  byte(): number {
    return this.#bytes[this.#advance(1)] as number;
  }

  uint32(): number {
    this.align(4);
    const at = this.#advance(4);
    return this.#littleEndian ? this.#bytes.readUInt32LE(at) : this.#bytes.readUInt32BE(at);
  }

  string(): string {
    const length = this.uint32();
    const at = this.#advance(length);
    this.#terminator();
    const text = this.#bytes.toString('utf8', at, at + length);
    if (text.includes('\0')) throw new WireError('a string contains a zero byte');
    return text;
  }

  objectPath(): string {
    const path = this.string();
    if (!isObjectPathValid(path)) throw new WireError('an object path is not valid');
    return path;
  }

  signature(): string {
    const length = this.byte();
    const at = this.#advance(length);
    this.#terminator();
    return this.#bytes.toString('latin1', at, at + length);
  }

  /** Any value. Byte arrays share memory with the input. @throws WireError */
  value(type: TypeNode): unknown {
    if (type.children.length === 0 && type.code !== Type.variant) return this.#basic(type);
    if (++this.#nesting > MAX_NESTING) {
      throw new WireError(`values are nested more than ${MAX_NESTING} deep`);
    }
    const value = this.#container(type);
    this.#nesting--;
    return value;
  }

  #container(type: TypeNode): unknown {
    switch (type.code) {
      case Type.array:
        return this.#array(type.children[0] as TypeNode);
      case Type.variant: {
        const signature = this.signature();
        return new Variant(signature, this.value(parseSingleType(signature)));
      }
      default:
        this.align(8);
        return type.children.map((child) => this.value(child));
    }
  }

  #basic(type: TypeNode): unknown {
    switch (type.code) {
      case Type.byte:
        return this.byte();
      case Type.boolean:
        return this.#boolean();
      case Type.uint32:
        return this.uint32();
      case Type.string:
        return this.string();
      case Type.objectPath:
        return this.objectPath();
      case Type.signature: {
        const text = this.signature();
        parseSignature(text);
        return text;
      }
      case Type.handle:
        return this.#handle();
      default:
        return this.#number(type);
    }
  }

  #number(type: TypeNode): number | bigint {
    this.align(type.alignment);
    const at = this.#advance(type.alignment);
    const bytes = this.#bytes;
    const little = this.#littleEndian;
    switch (type.code) {
      case Type.int16:
        return little ? bytes.readInt16LE(at) : bytes.readInt16BE(at);
      case Type.uint16:
        return little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
      case Type.int32:
        return little ? bytes.readInt32LE(at) : bytes.readInt32BE(at);
      case Type.int64:
        return little ? bytes.readBigInt64LE(at) : bytes.readBigInt64BE(at);
      case Type.uint64:
        return little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at);
      default:
        return little ? bytes.readDoubleLE(at) : bytes.readDoubleBE(at);
    }
  }

  #boolean(): boolean {
    const value = this.uint32();
    if (value > 1) throw new WireError(`a boolean is ${value}; it must be 0 or 1`);
    return value === 1;
  }

  #handle(): unknown {
    const index = this.uint32();
    const fd = this.#fds[index];
    if (fd === undefined) {
      throw new WireError(`descriptor ${index} is named but ${this.#fds.length} came with it`);
    }
    return fd;
  }

  #array(element: TypeNode): unknown {
    const length = this.uint32();
    if (length > MAX_ARRAY_BYTES) throw new WireError(`an array of ${length} bytes is too long`);
    this.align(element.alignment);
    const at = this.#at;
    const end = at + length;
    if (end > this.#end) throw this.#truncated();
    if (element.code === Type.byte) {
      this.#at = end;
      return this.#bytes.subarray(at, end);
    }
    const value =
      element.code === Type.dictEntry ? this.#dictionary(element, end) : this.#list(element, end);
    if (this.#at !== end) throw new WireError('an array ends inside an element');
    return value;
  }

  #list(element: TypeNode, end: number): unknown[] {
    const list: unknown[] = [];
    while (this.#at < end) list.push(this.value(element));
    return list;
  }

  #dictionary(entry: TypeNode, end: number): unknown {
    const [keyType, valueType] = entry.children as [TypeNode, TypeNode];
    const map = new Map<unknown, unknown>();
    while (this.#at < end) {
      this.align(8);
      const key = this.value(keyType);
      map.set(key, this.value(valueType));
    }
    if (!isTextual(keyType.code)) return map;
    // No prototype: a key such as __proto__ is an ordinary key.
    const record = Object.create(null) as Record<string, unknown>;
    for (const [key, value] of map) record[key as string] = value;
    return record;
  }

  #terminator(): void {
    if (this.#bytes[this.#advance(1)] !== 0) throw new WireError('a string has no zero at its end');
  }

  #advance(size: number): number {
    const at = this.#at;
    if (size > this.#end - at) throw this.#truncated();
    this.#at = at + size;
    return at;
  }

  #truncated(): WireError {
    return new WireError('the message ends inside a value');
  }
}

function isTextual(code: number): boolean {
  return code === Type.string || code === Type.objectPath || code === Type.signature;
}

/** A whole body. @throws WireError also for bytes left over. */
export function decodeBody(
  signature: string,
  body: Buffer,
  littleEndian: boolean,
  fds: readonly unknown[] = [],
): unknown[] {
  const reader = new WireReader(body, 0, body.length, littleEndian, fds);
  const values = parseSignature(signature).map((type) => reader.value(type));
  if (reader.remaining !== 0) {
    throw new WireError(`${reader.remaining} bytes follow the last value`);
  }
  return values;
}
