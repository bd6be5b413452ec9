// SPDX-License-Identifier: Apache-2.0
// The nodes from which the kernel makes platform devices: those below the root and below plain
// buses. Nothing that matters here is anywhere else, and the rest of a tree is the bigger part.

import type { DeviceTreeNode } from './node.ts';
import { isCompatible, isEnabled } from './values.ts';

const plainBuses = ['simple-bus', 'simple-mfd', 'simple-pm-bus', 'isa', 'arm,amba-bus'];

/** Devices in the order of the tree, disabled ones too, but none below a disabled bus. */
export function* devicesOf(bus: DeviceTreeNode): Iterable<DeviceTreeNode> {
  for (const node of bus.children()) {
    if (!node.has('compatible')) continue;
    yield node;
    const isBus = isCompatible(node, plainBuses);
    if (isBus && isEnabled(node)) yield* devicesOf(node);
  }
}

/** The children of /reserved-memory, disabled ones too. */
export function reservedMemory(root: DeviceTreeNode): readonly DeviceTreeNode[] {
  return root.child('reserved-memory')?.children() ?? [];
}
