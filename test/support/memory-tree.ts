// SPDX-License-Identifier: Apache-2.0
// Device trees in memory, where a test makes many or odd ones.

import type { NodeContents } from '../../src/devicetree/index.ts';

export interface MemoryNode {
  /** Cells, a string, or bytes as they are. */
  readonly properties?: Readonly<Record<string, readonly number[] | string | Uint8Array>>;
  readonly children?: Readonly<Record<string, MemoryNode>>;
}

/** `onRead` is told each time that a property is read or nodes are listed. */
export function memoryTree(
  { properties = {}, children = {} }: MemoryNode,
  onRead: () => void = () => {},
): NodeContents {
  return {
    property: (name) => {
      onRead();
      return Object.hasOwn(properties, name) ? encode(properties[name] ?? []) : undefined;
    },
    children: () => {
      onRead();
      return new Map(
        Object.entries(children).map(([name, child]) => [name, memoryTree(child, onRead)]),
      );
    },
  };
}

function encode(value: readonly number[] | string | Uint8Array): Uint8Array {
  if (typeof value === 'string') return Buffer.from(`${value}\0`, 'latin1');
  if (value instanceof Uint8Array) return value;
  const bytes = Buffer.alloc(4 * value.length);
  for (const [index, cell] of value.entries()) bytes.writeUInt32BE(cell >>> 0, 4 * index);
  return bytes;
}
