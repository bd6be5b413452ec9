// SPDX-License-Identifier: Apache-2.0
// Object paths as the tree introspection walks: what exists, and what lies between.

import type { ExportedInterface } from './implementation.ts';

export interface PublishedObject {
  readonly path: string;
  interfaces: readonly ExportedInterface[];
}

interface PathNode {
  /** Made with the first: most objects have nothing below. */
  children: Map<string, PathNode> | undefined;
  object: PublishedObject | undefined;
}

export class PathTree {
  readonly #root: PathNode = { children: undefined, object: undefined };
  readonly #objects = new Map<string, PublishedObject>();

  get(path: string): PublishedObject | undefined {
    return this.#objects.get(path);
  }

  objects(): IterableIterator<PublishedObject> {
    return this.#objects.values();
  }

  add(path: string): PublishedObject {
    let node = this.#root;
    for (const element of elements(path)) {
      node.children ??= new Map();
      let child = node.children.get(element);
      if (child === undefined) {
        child = { children: undefined, object: undefined };
        node.children.set(element, child);
      }
      node = child;
    }
    node.object ??= { path, interfaces: [] };
    this.#objects.set(path, node.object);
    return node.object;
  }

  remove(path: string): void {
    this.#objects.delete(path);
    const names = elements(path);
    const nodes = [this.#root];
    for (const name of names) {
      const child = nodes.at(-1)?.children?.get(name);
      if (child === undefined) return;
      nodes.push(child);
    }
    const last = nodes.at(-1) as PathNode;
    last.object = undefined;
    for (let depth = names.length; depth > 0; depth--) {
      const node = nodes[depth] as PathNode;
      if (node.object !== undefined || hasChildren(node)) return;
      nodes[depth - 1]?.children?.delete(names[depth - 1] as string);
    }
  }

  /** Names of what lies directly below; undefined if there is neither an object nor anything below. */
  children(path: string): string[] | undefined {
    let node: PathNode | undefined = this.#root;
    for (const element of elements(path)) node = node?.children?.get(element);
    if (node === undefined) return undefined;
    const exists = node.object !== undefined || hasChildren(node) || path === '/';
    return exists ? [...(node.children?.keys() ?? [])] : undefined;
  }
}

function hasChildren({ children }: PathNode): boolean {
  return children !== undefined && children.size > 0;
}

function elements(path: string): string[] {
  return path === '/' ? [] : path.slice(1).split('/');
}
