// SPDX-License-Identifier: Apache-2.0
// A device tree as the kernel shows it: a directory a node, a file a property.

import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { DeviceTreeNode, type NodeContents, treeLimits } from './node.ts';

/** The tree this machine was booted with. /proc/device-tree leads here, and the sandbox hides it. */
export const liveTree = '/sys/firmware/devicetree/base';

/** The root of the tree in `directory`; nothing is read before it is looked at. */
export function deviceTreeIn(directory: string): DeviceTreeNode {
  return DeviceTreeNode.root(new Directory(directory));
}

class Directory implements NodeContents {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  property(name: string): Uint8Array | undefined {
    const file = openProperty(join(this.#path, name));
    if (file === undefined) return undefined;
    try {
      return readProperty(file);
    } finally {
      closeSync(file);
    }
  }

  children(): ReadonlyMap<string, NodeContents> {
    const entries = readdirSync(this.#path, { withFileTypes: true });
    return new Map(
      entries
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => [name, new Directory(join(this.#path, name))]),
    );
  }
}

/** Links and what is no file are no part of a tree; a pipe's opener would wait for its writer. */
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
const absences = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO']);

function openProperty(path: string): number | undefined {
  try {
    return openSync(path, openFlags);
  } catch (error) {
    if (absences.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

function readProperty(file: number): Uint8Array | undefined {
  const stat = fstatSync(file);
  if (!stat.isFile()) return undefined;
  if (stat.size > treeLimits.bytes) {
    throw new Error(`${stat.size} bytes; ${treeLimits.bytes} is the most that is read`);
  }
  const bytes = Buffer.alloc(stat.size);
  return bytes.subarray(0, readSync(file, bytes, 0, stat.size, 0));
}
