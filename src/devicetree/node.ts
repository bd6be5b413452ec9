// SPDX-License-Identifier: Apache-2.0
// Nodes of a device tree, read when they are looked at: a board has thousands of properties, of
// which a few dozen matter here. What a tree may hold is bounded, whoever made it.

import { DeviceTreeError } from './error.ts';

/** What a node has. Reading may throw whatever the medium throws. */
export interface NodeContents {
  /** The value of a property; undefined if there is none. */
  property(name: string): Uint8Array | undefined;
  /** The nodes below, by name. */
  children(): ReadonlyMap<string, NodeContents>;
}

/** The kernel takes trees 64 deep; none that boots comes near the other limits. */
export const treeLimits = { depth: 64, nodes: 20_000, children: 4_096, bytes: 0x10000 } as const;

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
  readonly #contents: NodeContents;
  readonly #budget: { nodes: number };
  readonly #values = new Map<string, Uint8Array | undefined>();
  #children: DeviceTreeNode[] | undefined;

  private constructor(
    name: string,
    parent: DeviceTreeNode | undefined,
    contents: NodeContents,
    budget: { nodes: number },
  ) {
    this.name = name;
    this.parent = parent;
    this.#contents = contents;
    this.#budget = budget;
  }

  /** The root of a tree. Nothing is read yet. */
  static root(contents: NodeContents): DeviceTreeNode {
    return new DeviceTreeNode('', undefined, contents, { nodes: treeLimits.nodes });
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
    const children = this.#attempt('', () => this.#contents.children());
    this.#checkChildren(children.size);
    this.#children = [...children].map(
      ([name, contents]) => new DeviceTreeNode(name, this, contents, this.#budget),
    );
    return this.#children;
  }

  child(name: string): DeviceTreeNode | undefined {
    return this.children().find((node) => node.name === name);
  }

  has(property: string): boolean {
    return this.bytes(property) !== undefined;
  }

  /** Its value, undefined if there is none. @throws DeviceTreeError as children() does */
  bytes(property: string): Uint8Array | undefined {
    if (this.#values.has(property)) return this.#values.get(property);
    const value = this.#attempt(property, () => this.#contents.property(property));
    if (value !== undefined && value.length > treeLimits.bytes) {
      const rule = `is ${value.length} bytes long; ${treeLimits.bytes} is the most that is read`;
      throw new DeviceTreeError(this.path, property, rule);
    }
    this.#values.set(property, value);
    return value;
  }

  #checkChildren(count: number): void {
    this.#budget.nodes -= count;
    const refuse = (rule: string) => new DeviceTreeError(this.path, '', rule);
    if (count > 0 && this.depth >= treeLimits.depth) {
      throw refuse(`has nodes deeper than ${treeLimits.depth}`);
    }
    if (count > treeLimits.children) {
      throw refuse(`has ${count} nodes; ${treeLimits.children} is the most that is read`);
    }
    if (this.#budget.nodes < 0) throw refuse(`the tree has more than ${treeLimits.nodes} nodes`);
  }

  #attempt<Value>(property: string, read: () => Value): Value {
    try {
      return read();
    } catch (error) {
      if (error instanceof DeviceTreeError) throw error;
      const reason = printable(error instanceof Error ? error.message : String(error));
      throw new DeviceTreeError(this.path, property, `cannot be read: ${reason}`);
    }
  }
}
