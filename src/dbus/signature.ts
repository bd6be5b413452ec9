// SPDX-License-Identifier: Apache-2.0
// Type signatures as trees, parsed once each (D-Bus specification, "Type System").

import { WireError } from './errors.ts';

/** Character codes of the type codes. */
export const Type = {
  byte: 0x79,
  boolean: 0x62,
  int16: 0x6e,
  uint16: 0x71,
  int32: 0x69,
  uint32: 0x75,
  int64: 0x78,
  uint64: 0x74,
  double: 0x64,
  string: 0x73,
  objectPath: 0x6f,
  signature: 0x67,
  handle: 0x68,
  variant: 0x76,
  array: 0x61,
  struct: 0x28,
  dictEntry: 0x7b,
} as const;

export interface TypeNode {
  readonly code: number;
  /** Bytes a value starts at a multiple of. */
  readonly alignment: number;
  readonly text: string;
  /** Of an array its element; of a struct or dictionary entry its members. */
  readonly children: readonly TypeNode[];
}

const MAX_LENGTH = 255;
const MAX_DEPTH = 32;
// Peers choose the signatures of variants, so the cache must not grow with them.
const MAX_CACHED = 512;
const STRUCT_END = 0x29;
const DICT_END = 0x7d;
const cache = new Map<string, readonly TypeNode[]>();
const basic = new Map<number, TypeNode>();
const variantNode: TypeNode = { code: Type.variant, alignment: 1, text: 'v', children: [] };

for (const [codes, alignment] of [
  ['yg', 1],
  ['nq', 2],
  ['biusoh', 4],
  ['xtd', 8],
] as const) {
  for (const text of codes) {
    const code = text.charCodeAt(0);
    basic.set(code, { code, alignment, text, children: [] });
  }
}

class SignatureParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  all(): TypeNode[] {
    const types: TypeNode[] = [];
    while (this.#at < this.#text.length) types.push(this.#one(0, 0));
    return types;
  }

  #one(arrays: number, structs: number): TypeNode {
    const start = this.#at;
    const code = this.#text.charCodeAt(this.#at++);
    const simple = code === Type.variant ? variantNode : basic.get(code);
    if (simple !== undefined) return simple;
    if (code === Type.array && arrays < MAX_DEPTH) {
      const entry = this.#text.charCodeAt(this.#at) === Type.dictEntry;
      const child = entry ? this.#entry(arrays + 1, structs) : this.#one(arrays + 1, structs);
      return this.#node(code, 4, start, [child]);
    }
    if (code === Type.struct && structs < MAX_DEPTH) {
      const children = this.#members(STRUCT_END, arrays, structs + 1);
      if (children.length > 0) return this.#node(code, 8, start, children);
    }
    throw this.#error();
  }

  #entry(arrays: number, structs: number): TypeNode {
    const start = this.#at++;
    if (structs >= MAX_DEPTH) throw this.#error();
    const children = this.#members(DICT_END, arrays, structs + 1);
    const [key] = children;
    if (children.length !== 2 || key === undefined || !basic.has(key.code)) throw this.#error();
    return this.#node(Type.dictEntry, 8, start, children);
  }

  #members(end: number, arrays: number, structs: number): TypeNode[] {
    const members: TypeNode[] = [];
    while (this.#text.charCodeAt(this.#at) !== end) members.push(this.#one(arrays, structs));
    this.#at++;
    return members;
  }

  #node(code: number, alignment: number, start: number, children: TypeNode[]): TypeNode {
    return { code, alignment, text: this.#text.slice(start, this.#at), children };
  }

  #error(): WireError {
    return new WireError(`'${this.#text}' is not a valid D-Bus signature`);
  }
}

/** The complete types of a signature. @throws WireError */
export function parseSignature(text: string): readonly TypeNode[] {
  const known = cache.get(text);
  if (known !== undefined) return known;
  if (text.length > MAX_LENGTH) {
    throw new WireError(`a signature of ${text.length} characters is longer than ${MAX_LENGTH}`);
  }
  const types = new SignatureParser(text).all();
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(text, types);
  return types;
}

/** The one complete type of a variant or property. @throws WireError */
export function parseSingleType(text: string): TypeNode {
  const types = parseSignature(text);
  const [only] = types;
  if (types.length !== 1 || only === undefined) {
    throw new WireError(`'${text}' is not exactly one complete D-Bus type`);
  }
  return only;
}

export function isBasicType(type: TypeNode): boolean {
  return basic.has(type.code);
}
