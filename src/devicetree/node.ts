// SPDX-License-Identifier: Apache-2.0
// Nodes of a device tree, read when they are looked at: a board has thousands of properties, of
// which a few dozen matter here. What a tree may hold is bounded, whoever made it.

import { DeviceTreeError } from './error.ts';

/** What a node has, by name. Reading may throw whatever the medium throws. */
export interface NodeContents {
  readonly properties: ReadonlyMap<string, () => Uint8Array>;
  readonly children: ReadonlyMap<string, () => NodeContents>;
}

/** The kernel takes trees 64 deep; none that boots comes near the other limits. */
export const treeLimits = { depth: 64, nodes: 20_000, members: 4_096, bytes: 0x10000 } as const;

/** Whatever a name has in it, a terminal that shows it obeys nothing. */
function printable(text: string): string {
  return text.replaceAll(/[^ -~]/g, (odd) => {
    return `\\u${odd.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

export class DeviceTreeNode {
  readonly name: string;
  /** Absent for the root. */
  readonly parent: DeviceTreeNode | undefined;
  readonly #read: () => NodeContents;
  readonly #budget: { nodes: number };
  #contents: NodeContents | undefined;
  #children: DeviceTreeNode[] | undefined;

  private constructor(
    name: string,
    parent: DeviceTreeNode | undefined,
    read: () => NodeContents,
    budget: { nodes: number },
  ) {
    this.name = name;
    this.parent = parent;
    this.#read = read;
    this.#budget = budget;
  }

  /** The root of a tree. Nothing is read yet. */
  static root(read: () => NodeContents): DeviceTreeNode {
    return new DeviceTreeNode('', undefined, read, { nodes: treeLimits.nodes });
  }

  /** From the root, for people: `/soc@0/bus@30000000`; the root is `/`. */
  get path(): string {
    if (this.parent === undefined) return '/';
    return `${this.parent.parent === undefined ? '' : this.parent.path}/${printable(this.name)}`;
  }

  /** The name without its unit address. */
  get baseName(): string {
    return this.name.replace(/@.*$/, '');
  }

  get depth(): number {
    return this.parent === undefined ? 0 : this.parent.depth + 1;
  }

  /** @throws DeviceTreeError when it cannot be read or passes a limit */
  children(): readonly DeviceTreeNode[] {
    if (this.#children !== undefined) return this.#children;
    const { children } = this.#open();
    if (children.size > 0 && this.depth >= treeLimits.depth) {
      throw new DeviceTreeError(this.path, '', `has nodes deeper than ${treeLimits.depth}`);
    }
    this.#children = [...children].map(
      ([name, read]) => new DeviceTreeNode(name, this, read, this.#budget),
    );
    return this.#children;
  }

  child(name: string): DeviceTreeNode | undefined {
    return this.children().find((node) => node.name === name);
  }

  has(property: string): boolean {
    return this.#open().properties.has(property);
  }

  /** Its value, undefined if there is none. @throws DeviceTreeError as children() does */
  bytes(property: string): Uint8Array | undefined {
    const read = this.#open().properties.get(property);
    if (read === undefined) return undefined;
    const value = this.#attempt(read, property);
    if (value.length <= treeLimits.bytes) return value;
    const rule = `is ${value.length} bytes long; ${treeLimits.bytes} is the most that is read`;
    throw new DeviceTreeError(this.path, property, rule);
  }

  #open(): NodeContents {
    if (this.#contents !== undefined) return this.#contents;
    if (this.#budget.nodes-- <= 0) {
      const rule = `the tree has more than ${treeLimits.nodes} nodes`;
      throw new DeviceTreeError(this.path, '', rule);
    }
    const contents = this.#attempt(this.#read, '');
    const members = contents.children.size + contents.properties.size;
    if (members > treeLimits.members) {
      const rule = `has ${members} members; ${treeLimits.members} is the most that is read`;
      throw new DeviceTreeError(this.path, '', rule);
    }
    this.#contents = contents;
    return contents;
  }

  #attempt<Value>(read: () => Value, property: string): Value {
    try {
      return read();
    } catch (error) {
      if (error instanceof DeviceTreeError) throw error;
      const reason = printable(error instanceof Error ? error.message : String(error));
      throw new DeviceTreeError(this.path, property, `cannot be read: ${reason}`);
    }
  }
}
