// SPDX-License-Identifier: Apache-2.0
// Where a node's `reg` lies in the CPU's address space: cell counts of its bus, and the `ranges` of
// every bus above it (Devicetree Specification 0.4 §2.3.5 to §2.3.8).

import { DeviceTreeError } from './error.ts';
import type { DeviceTreeNode } from './node.ts';
import { cell, cells } from './values.ts';

export interface Region {
  readonly base: number;
  readonly size: number;
}

interface CellCounts {
  readonly address: number;
  readonly size: number;
}

/** How many cells the addresses and sizes of a bus's children have. */
function cellCounts(bus: DeviceTreeNode): CellCounts {
  return {
    address: cellCount(bus, '#address-cells', 2),
    size: cellCount(bus, '#size-cells', 1),
  };
}

function cellCount(bus: DeviceTreeNode, property: string, otherwise: number): number {
  const count = cell(bus, property) ?? otherwise;
  if (count >= 1 && count <= 2) return count;
  const rule = `is ${count}: memory below it can be described with 1 or 2 only`;
  throw new DeviceTreeError(bus.path, property, rule);
}

/** The regions of a node's `reg` as the CPU sees them; undefined if it has none. */
export function regions(node: DeviceTreeNode): Region[] | undefined {
  const bus = node.parent;
  const values = bus === undefined ? undefined : cells(node, 'reg');
  if (bus === undefined || values === undefined) return undefined;
  const counts = cellCounts(bus);
  const stride = counts.address + counts.size;
  if (values.length % stride !== 0) {
    const rule = `has ${values.length} cells; an address of ${counts.address} and a size of ${counts.size} take ${stride} each`;
    throw new DeviceTreeError(node.path, 'reg', rule);
  }
  return Array.from({ length: values.length / stride }, (_, index) => {
    const at = index * stride;
    const read = (from: number, count: number) => number(values, from, count, node, 'reg');
    const region = { base: read(at, counts.address), size: read(at + counts.address, counts.size) };
    if (region.size === 0) throw new DeviceTreeError(node.path, 'reg', 'has a region of no bytes');
    return { ...region, base: toCpu(node, region) };
  });
}

function number(
  values: readonly number[],
  from: number,
  count: number,
  node: DeviceTreeNode,
  property: string,
): number {
  const [first = 0, second = 0] = values.slice(from, from + count);
  const value = count === 1 ? first : first * 2 ** 32 + second;
  if (Number.isSafeInteger(value)) return value;
  const printed = `0x${BigInt(first).toString(16)}${second.toString(16).padStart(8, '0')}`;
  throw new DeviceTreeError(node.path, property, `says ${printed}, where no memory can be`);
}

/** Takes an address of `node` up through the buses above it. */
function toCpu(node: DeviceTreeNode, { base, size }: Region): number {
  let address = base;
  for (let bus = node.parent; bus?.parent !== undefined; bus = bus.parent) {
    address = throughBus(bus, bus.parent, { base: address, size }, node);
  }
  return address;
}

function throughBus(
  bus: DeviceTreeNode,
  above: DeviceTreeNode,
  region: Region,
  node: DeviceTreeNode,
): number {
  const bytes = bus.bytes('ranges');
  if (bytes === undefined) {
    const rule = `is missing: without it the CPU cannot reach ${node.path}`;
    throw new DeviceTreeError(bus.path, 'ranges', rule);
  }
  if (bytes.length === 0) return region.base;
  const values = cells(bus, 'ranges') ?? [];
  const own = cellCounts(bus);
  const parent = cellCounts(above);
  const stride = own.address + parent.address + own.size;
  if (values.length % stride !== 0) {
    const rule = `has ${values.length} cells; entries take ${stride} each`;
    throw new DeviceTreeError(bus.path, 'ranges', rule);
  }
  const read = (from: number, count: number) => number(values, from, count, bus, 'ranges');
  for (let at = 0; at < values.length; at += stride) {
    const child = read(at, own.address);
    const size = read(at + own.address + parent.address, own.size);
    if (region.base < child || region.base + region.size > child + size) continue;
    return read(at + own.address, parent.address) + (region.base - child);
  }
  const rule = `has no entry for 0x${region.base.toString(16)}, the reg of ${node.path}`;
  throw new DeviceTreeError(bus.path, 'ranges', rule);
}
