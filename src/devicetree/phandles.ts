// SPDX-License-Identifier: Apache-2.0
// References from node to node (Devicetree Specification 0.4 §2.3.3).

import { devicesOf, reservedMemory } from './devices.ts';
import { DeviceTreeError } from './error.ts';
import type { DeviceTreeNode } from './node.ts';
import { cell, cells } from './values.ts';

export interface Reference {
  readonly target: DeviceTreeNode;
  /** The cells that follow the phandle. */
  readonly args: readonly number[];
}

type Index = ReadonlyMap<number, readonly DeviceTreeNode[]>;

/** No binding comes near; the kernel itself takes 16 at most. */
const maxArgs = 16;

export class Phandles {
  readonly #root: DeviceTreeNode;
  #near: Index | undefined;
  #all: Index | undefined;

  constructor(root: DeviceTreeNode) {
    this.#root = root;
  }

  /** The whole tree is read only for a phandle that neither a device nor reserved memory has. */
  #find(phandle: number): readonly DeviceTreeNode[] {
    this.#near ??= index([...devicesOf(this.#root), ...reservedMemory(this.#root)]);
    const near = this.#near.get(phandle);
    if (near !== undefined) return near;
    this.#all ??= index(everyNode(this.#root));
    return this.#all.get(phandle) ?? [];
  }

  /**
   * What a property refers to, each with as many arguments as its target's `cellsProperty` says;
   * undefined if the property is not there.
   */
  references(
    node: DeviceTreeNode,
    property: string,
    cellsProperty?: string,
  ): Reference[] | undefined {
    const values = cells(node, property);
    if (values === undefined) return undefined;
    const found: Reference[] = [];
    for (let at = 0; at < values.length; ) {
      const target = this.#target(node, property, values[at] ?? 0);
      const count = cellsProperty === undefined ? 0 : argsOf(target, cellsProperty);
      if (at + 1 + count > values.length) {
        const rule = `ends within an entry: ${target.path} takes ${count} cells after its phandle`;
        throw new DeviceTreeError(node.path, property, rule);
      }
      found.push({ target, args: values.slice(at + 1, at + 1 + count) });
      at += 1 + count;
    }
    return found;
  }

  #target(node: DeviceTreeNode, property: string, phandle: number): DeviceTreeNode {
    const [target, other] = this.#find(phandle);
    if (target !== undefined && other === undefined) return target;
    const owner = other === undefined ? 'no node has' : `${target?.path} and ${other.path} have`;
    const rule = `refers to the phandle 0x${phandle.toString(16)}, which ${owner}`;
    throw new DeviceTreeError(node.path, property, rule);
  }
}

function argsOf(target: DeviceTreeNode, property: string): number {
  const count = cell(target, property);
  if (count !== undefined && count <= maxArgs) return count;
  const rule = count === undefined ? 'is missing' : `is ${count}, and is ${maxArgs} at most`;
  throw new DeviceTreeError(target.path, property, rule);
}

function index(nodes: Iterable<DeviceTreeNode>): Index {
  const found = new Map<number, DeviceTreeNode[]>();
  for (const node of nodes) {
    const bytes = node.bytes('phandle');
    if (bytes?.length !== 4) continue;
    const phandle = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    found.set(phandle, [...(found.get(phandle) ?? []), node]);
  }
  return found;
}

function* everyNode(node: DeviceTreeNode): Iterable<DeviceTreeNode> {
  yield node;
  for (const child of node.children()) yield* everyNode(child);
}
