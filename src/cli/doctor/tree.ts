// SPDX-License-Identifier: Apache-2.0
// Questions to the device tree of a machine, answered with "not known" where it has none or a broken
// one: configuration.ts tells what is wrong with it.

import { liveTree } from '../../config/index.ts';
import {
  DeviceTreeError,
  type DeviceTreeNode,
  devicesOf,
  deviceTreeIn,
  isCompatible,
  isEnabled,
  type Region,
  regions,
  reservedMemory,
} from '../../devicetree/index.ts';
import type { Machine } from './machine.ts';

export class MachineTree {
  readonly #root: DeviceTreeNode | undefined;

  constructor(machine: Machine) {
    this.#root = machine.exists(liveTree) ? deviceTreeIn(machine.path(liveTree)) : undefined;
  }

  get isKnown(): boolean {
    return this.#root !== undefined;
  }

  /** The enabled devices whose first region begins at `base`. */
  devicesAt(base: number): DeviceTreeNode[] {
    const root = this.#root;
    if (root === undefined) return [];
    const devices = attempt(() => [...devicesOf(root)].filter(isEnabled)) ?? [];
    return devices.filter((node) => attempt(() => regions(node)?.[0])?.base === base);
  }

  /** Whether [base, base + size) is reserved, and by nodes that Linux does not map. */
  reservation(base: number, size: number): 'no-map' | 'mapped' | 'none' {
    const root = this.#root;
    const nodes = root === undefined ? [] : (attempt(() => reservedMemory(root)) ?? []);
    const pieces = nodes.filter((node) => attempt(() => isEnabled(node)) === true);
    if (
      isCovered(
        pieces.filter((node) => node.has('no-map')),
        base,
        size,
      )
    )
      return 'no-map';
    return isCovered(pieces, base, size) ? 'mapped' : 'none';
  }
}

function attempt<Value>(ask: () => Value): Value | undefined {
  try {
    return ask();
  } catch (error) {
    if (error instanceof DeviceTreeError) return undefined;
    throw error;
  }
}

function isCovered(nodes: readonly DeviceTreeNode[], base: number, size: number): boolean {
  const pieces = nodes
    .flatMap((node) => attempt(() => regions(node)) ?? [])
    .sort((a: Region, b: Region) => a.base - b.base);
  let end = base;
  for (const piece of pieces) {
    if (piece.base <= end) end = Math.max(end, piece.base + piece.size);
  }
  return end >= base + size;
}

/** What a MU needs while it is open: that its power domain or its bus's clock is in the tree. */
export function isPowered(node: DeviceTreeNode, needs: 'power-domain' | 'clock'): boolean {
  if (needs === 'power-domain') return node.has('power-domains');
  const bus = node.parent;
  return bus !== undefined && isCompatible(bus, ['simple-pm-bus']) && bus.has('clocks');
}

export function isForUio(node: DeviceTreeNode): boolean {
  return isCompatible(node, ['generic-uio']);
}
