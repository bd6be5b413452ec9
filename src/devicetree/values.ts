// SPDX-License-Identifier: Apache-2.0
// What the bytes of a property mean: 32-bit cells, big-endian, and strings that end in NUL
// (Devicetree Specification 0.4 §2.2.4).

import { DeviceTreeError } from './error.ts';
import type { DeviceTreeNode } from './node.ts';

/** Far more than any property that is read here has, and few enough to look each up in a tree. */
const maxCells = 256;

/** The cells of a property, at least one; undefined if it is not there. */
export function cells(node: DeviceTreeNode, property: string): number[] | undefined {
  const bytes = node.bytes(property);
  if (bytes === undefined) return undefined;
  if (bytes.length === 0 || bytes.length % 4 !== 0) {
    const rule = `is ${bytes.length} bytes long; cells have 4 bytes each, and it has at least one`;
    throw new DeviceTreeError(node.path, property, rule);
  }
  if (bytes.length > 4 * maxCells) {
    const rule = `has ${bytes.length / 4} cells; ${maxCells} is the most that is read`;
    throw new DeviceTreeError(node.path, property, rule);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32(4 * index));
}

/** A property of one cell; undefined if it is not there. */
export function cell(node: DeviceTreeNode, property: string): number | undefined {
  const all = cells(node, property);
  if (all === undefined) return undefined;
  if (all.length > 1) {
    const rule = `has ${all.length} cells, and must have one`;
    throw new DeviceTreeError(node.path, property, rule);
  }
  return all[0];
}

/** The strings of a property, none of them empty; undefined if it is not there. */
export function strings(node: DeviceTreeNode, property: string): string[] | undefined {
  const bytes = node.bytes(property);
  if (bytes === undefined) return undefined;
  const complain = (rule: string) => new DeviceTreeError(node.path, property, rule);
  if (bytes.length === 0) throw complain('is empty, and must be a string');
  if (bytes.at(-1) !== 0) throw complain('is a string without end: its last byte is not NUL');
  const all = Buffer.from(bytes).subarray(0, -1).toString('latin1').split('\0');
  // What a terminal or a log is to show has nothing that either would obey.
  if (!all.every((text) => /^[ -~]+$/.test(text))) {
    throw complain('is empty in places, or has a byte that is no printable character');
  }
  return all;
}

/** The words of a property, whatever else is wrong with it: for nodes that may not matter at all. */
function words(node: DeviceTreeNode, property: string): string[] {
  const text = Buffer.from(node.bytes(property) ?? []).toString('latin1');
  return text.split('\0').filter((word) => word !== '');
}

export function isCompatible(node: DeviceTreeNode, names: readonly string[]): boolean {
  return words(node, 'compatible').some((name) => names.includes(name));
}

/** As the kernel sees it: no `status`, or okay. */
export function isEnabled(node: DeviceTreeNode): boolean {
  const [status = 'okay'] = words(node, 'status');
  return status === 'okay' || status === 'ok';
}
