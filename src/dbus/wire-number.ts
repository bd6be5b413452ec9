// SPDX-License-Identifier: Apache-2.0
// Numbers onto the wire, with their ranges checked: what does not fit is an error, never truncated.

import { WireError } from './errors.ts';
import { Type, type TypeNode } from './signature.ts';

const RANGES = new Map<number, readonly [number, number]>([
  [Type.byte, [0, 0xff]],
  [Type.int16, [-0x8000, 0x7fff]],
  [Type.uint16, [0, 0xffff]],
  [Type.int32, [-0x80000000, 0x7fffffff]],
  [Type.uint32, [0, 0xffffffff]],
]);
const INT64_MIN = -(1n << 63n);
const INT64_MAX = (1n << 63n) - 1n;
const UINT64_MAX = (1n << 64n) - 1n;

/** Writes at `at`, which is aligned and has room; returns where the value ends. */
export function writeNumber(bytes: Buffer, at: number, type: TypeNode, value: unknown): number {
  switch (type.code) {
    case Type.double:
      if (typeof value !== 'number') throw outOfRange(type, value);
      return bytes.writeDoubleLE(value, at);
    case Type.int64:
      return bytes.writeBigInt64LE(wide(type, value, INT64_MIN, INT64_MAX), at);
    case Type.uint64:
      if (isCount(value)) {
        bytes.writeUInt32LE(value % 2 ** 32, at);
        return bytes.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
      }
      return bytes.writeBigUInt64LE(wide(type, value, 0n, UINT64_MAX), at);
    default:
      return writeNarrow(bytes, at, type, value);
  }
}

/** Most 64-bit values are exact numbers: those need no BigInt on their way. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function writeNarrow(bytes: Buffer, at: number, type: TypeNode, value: unknown): number {
  const range = RANGES.get(type.code);
  const number = value as number;
  if (range === undefined || !Number.isInteger(number) || number < range[0] || number > range[1]) {
    throw outOfRange(type, value);
  }
  switch (type.code) {
    case Type.byte:
      return bytes.writeUInt8(number, at);
    case Type.int16:
      return bytes.writeInt16LE(number, at);
    case Type.uint16:
      return bytes.writeUInt16LE(number, at);
    case Type.int32:
      return bytes.writeInt32LE(number, at);
    default:
      return bytes.writeUInt32LE(number, at);
  }
}

function wide(type: TypeNode, value: unknown, min: bigint, max: bigint): bigint {
  // An unsafe number has already lost what it should have been.
  const exact = Number.isSafeInteger(value) ? BigInt(value as number) : value;
  if (typeof exact !== 'bigint' || exact < min || exact > max) throw outOfRange(type, value);
  return exact;
}

function outOfRange(type: TypeNode, value: unknown): WireError {
  const kind = typeof value;
  const shown = kind === 'number' || kind === 'bigint' ? `${value}` : kind;
  return new WireError(`${shown} is not a value of D-Bus type '${type.text}'`);
}
