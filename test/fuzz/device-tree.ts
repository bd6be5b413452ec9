// SPDX-License-Identifier: Apache-2.0
// Fuzzes the way from a device tree to a configuration: whatever the tree, there is a configuration
// that keeps the rules, or a refusal that names places in the tree; never anything else.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { explain } from '../../src/config/load.ts';
import { Origins } from '../../src/config/origins.ts';
import { printConfig } from '../../src/config/print.ts';
import { ConfigError } from '../../src/config/problems.ts';
import type { Config } from '../../src/config/types.ts';
import { DeviceTreeNode } from '../../src/devicetree/index.ts';
import { compile, type MutableNode, parseBlob } from '../support/device-trees.ts';
import { memoryTree } from '../support/memory-tree.ts';
import { randomGenerator } from '../support/random.ts';
import { copyTree, mutate } from './tree-mutations.ts';

const directory = '/tree';

/** The trees of the boards in `folder`, compiled. */
export function boardTrees(folder: string): MutableNode[] {
  const scratch = mkdtempSync(join(tmpdir(), 'rpmsgd-fuzz-'));
  try {
    return readdirSync(folder).map((name) =>
      parseBlob(readFileSync(compile(join(folder, name), scratch))),
    );
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** How often nodes and properties are read, which bounds both time and memory. */
interface Reads {
  count: number;
}

function counted(tree: MutableNode, reads: Reads): DeviceTreeNode {
  const onRead = () => {
    reads.count++;
  };
  return DeviceTreeNode.root(memoryTree(tree, onRead));
}

function configOf(root: DeviceTreeNode): Config | ConfigError {
  const sources = { root: {}, origins: new Origins() };
  try {
    return explain({ files: [], sources, tree: { root, directory }, problems: [] }).config;
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

function members({ properties, children }: MutableNode): number {
  const below = Object.values(children).map(members);
  return below.reduce((sum, count) => sum + count, 1 + Object.keys(properties).length);
}

function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** Looks at what came of a tree. @throws Error saying what is wrong */
function judge(result: Config | ConfigError): void {
  if (result instanceof ConfigError) {
    expectThat(/^[ -~\n]+$/.test(result.message), `not printable: ${result.message}`);
    for (const { file, rule } of result.problems) {
      expectThat(file.startsWith(directory), `a complaint is placed at ${file}`);
      expectThat(rule !== '', `a complaint about ${file} has no rule`);
    }
    return;
  }
  for (const { setup } of result.remotes) {
    expectThat(setup.vdevs >= 1 && setup.vdevs <= 8, `${setup.vdevs} vdevs`);
    const ends = [
      setup.vringBase + setup.vdevs * setup.vringStride,
      setup.bufferBase + setup.vdevs * setup.bufferStride,
    ];
    expectThat(
      ends.every((end) => end <= 2 ** 32),
      `memory ends at ${ends.join(', ')}`,
    );
    expectThat(setup.vringBase % 4096 === 0, `vrings at ${setup.vringBase}`);
  }
  const sources = { root: parse(printConfig(result)), origins: new Origins() };
  const again = explain({ files: [], sources, tree: undefined, problems: [] }).config;
  const text = (config: Config) => JSON.stringify({ ...config, deviceTree: undefined });
  const [printed, meant] = [text(again), text(result)];
  expectThat(printed === meant, `what is printed is another configuration: ${printed} ${meant}`);
}

/** One run; the same seed makes the same tree. Says whether it was accepted. */
export function fuzzOnce(boards: readonly MutableNode[], seed: number): 'accepted' | 'refused' {
  const random = randomGenerator(seed);
  const tree = copyTree(boards[random(boards.length)] ?? { properties: {}, children: {} });
  mutate(tree, random);
  const reads: Reads = { count: 0 };
  try {
    const result = configOf(counted(tree, reads));
    judge(result);
    const most = 1_000 + 40 * members(tree);
    expectThat(reads.count <= most, `${reads.count} reads of a tree of ${members(tree)} members`);
    return result instanceof ConfigError ? 'refused' : 'accepted';
  } catch (cause) {
    throw new Error(`seed ${seed}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
