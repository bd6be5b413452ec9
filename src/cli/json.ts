// SPDX-License-Identifier: Apache-2.0
// How values of D-Bus are written as JSON.

/** A document, for people and programs. */
export function jsonDocument(value: unknown): string {
  return `${JSON.stringify(value, jsonValue, 2)}\n`;
}

/** One of many, on a line of its own. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value, jsonValue)}\n`;
}

/** 64-bit numbers are text: JSON readers round numbers above 2^53. Bytes are a list. */
function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  const buffer = value as { type?: unknown; data?: unknown } | null;
  return typeof buffer === 'object' && buffer?.type === 'Buffer' ? buffer.data : value;
}
