// SPDX-License-Identifier: Apache-2.0
// What discovery finds of a remote: keys of a [[remote]] table, each with the property that says it,
// and what is wrong with the others.

import { join } from 'node:path';
import { DeviceTreeError, type DeviceTreeNode } from '../../devicetree/index.ts';
import type { Origins, Table } from '../origins.ts';
import type { Problem } from '../problems.ts';

/** A key of [[remote]], or one of a table in it. */
export type RemoteKey = readonly [string] | readonly [string, string];

/** A complaint about what a key would have been; void where a file says the key. */
export interface FoundProblem {
  readonly key: RemoteKey;
  readonly problem: Problem;
}

/** Collects the keys of one remote. */
export class FoundRemote {
  readonly name: string;
  /** The node that describes it. */
  readonly node: DeviceTreeNode;
  readonly table: Table = {};
  readonly problems: FoundProblem[] = [];
  readonly #directory: string;
  readonly #origins: Origins;

  constructor(name: string, node: DeviceTreeNode, directory: string, origins: Origins) {
    this.name = name;
    this.node = node;
    this.#directory = directory;
    this.#origins = origins;
  }

  /** Takes note of a value and of the property it comes from; nothing if there is no value. */
  say(key: RemoteKey, value: unknown, node: DeviceTreeNode, property: string): void {
    if (value === undefined) return;
    const [first, second] = key;
    const origin = { file: fileOf(this.#directory, node.path), key: property };
    if (second === undefined) {
      this.table[first] = value;
      this.#origins.set(this.table, first, origin);
      return;
    }
    const inner = (this.table[first] ?? {}) as Table;
    if (this.table[first] === undefined) {
      this.table[first] = inner;
      this.#origins.set(this.table, first, origin);
    }
    inner[second] = value;
    this.#origins.set(inner, second, origin);
  }

  /** Lets `find` look for what `key` is to be, and keeps its complaint if it has one. */
  look(key: RemoteKey, find: () => void): void {
    try {
      find();
    } catch (error) {
      if (!(error instanceof DeviceTreeError)) throw error;
      this.problems.push({ key, problem: problemOf(this.#directory, error) });
    }
  }
}

/** A node's directory, as a person would list it. */
export function fileOf(directory: string, path: string): string {
  return path === '/' ? directory : join(directory, path);
}

export function problemOf(directory: string, { node, property, rule }: DeviceTreeError): Problem {
  return { file: fileOf(directory, node), key: property, rule };
}
