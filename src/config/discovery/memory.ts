// SPDX-License-Identifier: Apache-2.0
// The reserved memory of remoteproc: vdev0vring0, vdev0vring1, vdev0buffer, rsc-table. Some trees name
// every node `memory`; then what it is follows from its size and its compatible.

import {
  DeviceTreeError,
  type DeviceTreeNode,
  isCompatible,
  type Region,
  regions,
} from '../../devicetree/index.ts';
import { hex } from '../problems.ts';
import { ringBytes } from '../regions.ts';
import { vringDefaults } from '../resolve.ts';

const usualDescriptors = 256;

export interface Piece extends Region {
  readonly node: DeviceTreeNode;
}

/** What the reserved memory of one remote says. */
export interface RemoteMemory {
  /** Two a vdev, in order. */
  readonly vrings: readonly Piece[];
  readonly buffers: Piece | undefined;
  readonly resourceTable: Piece | undefined;
}

type Use = 'vring' | 'buffers' | 'resource-table';

export const vringName = /^vdev(\d+)vring([01])$/;
const bufferName = /^vdev(?:\d+)?buffer$/;
const tableName = /^rsc[-_]table\d*$/;

/** What a node of reserved memory is for, by its name; undefined where the name does not say. */
export function useByName({ baseName }: DeviceTreeNode): Use | undefined {
  if (vringName.test(baseName)) return 'vring';
  if (bufferName.test(baseName)) return 'buffers';
  return tableName.test(baseName) ? 'resource-table' : undefined;
}

function useOf(node: DeviceTreeNode, { size }: Region): Use | undefined {
  const named = useByName(node);
  if (named !== undefined) return named;
  if (isCompatible(node, ['shared-dma-pool'])) return 'buffers';
  if (node.baseName !== 'memory') return undefined;
  const needed = ringBytes(usualDescriptors, vringDefaults.align);
  return size >= needed ? 'vring' : 'resource-table';
}

export function pieceOf(node: DeviceTreeNode): Piece {
  const [region] = regions(node) ?? [];
  if (region !== undefined) return { ...region, node };
  const rule = 'is missing: memory that a remote uses has a fixed place';
  throw new DeviceTreeError(node.path, 'reg', rule);
}

/** Sorts the memory of one remote by what it is for. */
export function sortMemory(nodes: readonly DeviceTreeNode[]): RemoteMemory {
  const used = nodes.map((node) => {
    const piece = pieceOf(node);
    return { piece, use: useOf(node, piece) };
  });
  const all = (wanted: Use) => used.filter(({ use }) => use === wanted).map(({ piece }) => piece);
  return {
    vrings: all('vring').sort(byPlace),
    buffers: all('buffers')[0],
    resourceTable: all('resource-table')[0],
  };
}

/** By number where the names have numbers, else by address. */
function byPlace(a: Piece, b: Piece): number {
  const numbers = [a, b].map(({ node }) => vringName.exec(node.baseName));
  const [left, right] = numbers.map((match) => Number(match?.[1]) * 2 + Number(match?.[2]));
  return numbers.includes(null) ? a.base - b.base : (left ?? 0) - (right ?? 0);
}

/** Each ring has room for what a remote has by default, and vring1 follows vring0. */
function checkVring({ node, size }: Piece, index: number): void {
  const needed = ringBytes(usualDescriptors, vringDefaults.align);
  if (size < needed) {
    const rule = `has ${hex(size)} bytes; a ring of ${usualDescriptors} descriptors takes ${hex(needed)}`;
    throw new DeviceTreeError(node.path, 'reg', rule);
  }
  const which = vringName.exec(node.baseName)?.[2] ?? String(index % 2);
  if (Number(which) === index % 2) return;
  const rule = which === '1' ? 'has no vring0 beside it' : 'follows a vring0 that has no vring1';
  throw new DeviceTreeError(node.path, '', rule);
}

export interface VringLayout {
  readonly vdevs: number;
  readonly base: number;
  readonly stride: number;
  readonly vring1Offset: number;
}

/** Where the rings of a remote lie, which are pairs at equal distances. */
export function vringLayout(vrings: readonly Piece[], owner: DeviceTreeNode): VringLayout {
  const [first, second] = vrings;
  if (first === undefined || second === undefined || vrings.length % 2 !== 0) {
    const rule = `leads to ${vrings.length} vrings; each vdev has two`;
    throw new DeviceTreeError(owner.path, 'memory-region', rule);
  }
  for (const [index, piece] of vrings.entries()) checkVring(piece, index);
  const vring1Offset = second.base - first.base;
  if (vring1Offset <= 0) {
    const rule = `lies before ${first.node.path}, to which it is vring1`;
    throw new DeviceTreeError(second.node.path, 'reg', rule);
  }
  const stride = (vrings[2]?.base ?? second.base + second.size) - first.base;
  for (const [index, { base, node }] of vrings.entries()) {
    const expected = first.base + Math.floor(index / 2) * stride + (index % 2) * vring1Offset;
    if (base === expected) continue;
    const rule = `begins at ${hex(base)}, not at ${hex(expected)}; the vrings of a remote lie at equal distances`;
    throw new DeviceTreeError(node.path, 'reg', rule);
  }
  return { vdevs: vrings.length / 2, base: first.base, stride, vring1Offset };
}
