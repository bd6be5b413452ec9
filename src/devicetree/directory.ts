// SPDX-License-Identifier: Apache-2.0
// A device tree as the kernel shows it, and as `dtc -O fs` writes it: a directory a node, a file a
// property.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DeviceTreeNode, type NodeContents, treeLimits } from './node.ts';

/** The tree this machine was booted with. /proc/device-tree leads here, and the sandbox hides it. */
export const liveTree = '/sys/firmware/devicetree/base';

/** The root of the tree in `directory`; nothing is read before it is looked at. */
export function deviceTreeIn(directory: string): DeviceTreeNode {
  return DeviceTreeNode.root(() => contentsOf(directory));
}

/** Links, sockets and pipes are no part of a tree: reading one might never end. */
function contentsOf(directory: string): NodeContents {
  const properties = new Map<string, () => Uint8Array>();
  const children = new Map<string, () => NodeContents>();
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) children.set(entry.name, () => contentsOf(path));
    else if (entry.isFile()) properties.set(entry.name, () => readProperty(path));
  }
  return { properties, children };
}

function readProperty(path: string): Uint8Array {
  const { size } = statSync(path);
  if (size > treeLimits.bytes) {
    throw new Error(`${size} bytes; ${treeLimits.bytes} is the most that is read`);
  }
  return readFileSync(path);
}
