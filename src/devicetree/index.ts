// SPDX-License-Identifier: Apache-2.0
// Device trees as the kernel shows them. Knows nothing of RPMsg.

export { type Region, regions } from './addresses.ts';
export { devicesOf, reservedMemory } from './devices.ts';
export { deviceTreeIn, liveTree } from './directory.ts';
export { DeviceTreeError } from './error.ts';
export { DeviceTreeNode, type NodeContents, treeLimits } from './node.ts';
export { Phandles, type Reference } from './phandles.ts';
export { cell, cells, isCompatible, isEnabled, strings } from './values.ts';
