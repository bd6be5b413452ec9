// SPDX-License-Identifier: Apache-2.0
// The device tree as the lowest of all sources: which remotes of it count, and the files laid over it.

import { existsSync } from 'node:fs';
import { type DeviceTreeNode, deviceTreeIn, liveTree } from '../devicetree/index.ts';
import { discover } from './discovery/discover.ts';
import { type FoundRemote, fileOf, type RemoteKey } from './discovery/found.ts';
import { mergeInto } from './merge.ts';
import { isTable, type Table } from './origins.ts';
import type { Problem } from './problems.ts';
import type { MergedSources } from './sources.ts';

/** Which tree is read: the one that is named, else the live one if there is one and it counts. */
export function chooseTree(directory: string | undefined, isLive: boolean): string | undefined {
  if (directory !== undefined) return directory;
  return isLive && existsSync(liveTree) ? liveTree : undefined;
}

/** A device tree, and the directory by which messages call it. */
export interface TreeSource {
  readonly root: DeviceTreeNode;
  readonly directory: string;
}

/** The tree in a directory; undefined and a problem noted where there is no such directory. */
export function openTree(directory: string, problems: Problem[]): TreeSource | undefined {
  if (existsSync(directory)) return { root: deviceTreeIn(directory), directory };
  const rule = 'there is no such directory; name a device tree';
  problems.push({ file: directory, key: '', rule });
  return undefined;
}

/** The files laid over the remotes of a tree, and what is wrong with that tree. */
export function layOverDeviceTree(
  files: MergedSources,
  { root, directory }: TreeSource,
): { sources: MergedSources; problems: readonly Problem[] } {
  const wanted = wantedRemotes(files.root);
  if (wanted?.length === 0) return { sources: files, problems: [] };
  const found = discover(root, directory, files.origins);
  const remotes = found.remotes.filter((remote) => counts(remote, files.root, wanted));
  const problems = remotes.flatMap((remote) => {
    const said = remoteOf(files.root, remote.name);
    return remote.problems.filter(({ key }) => !says(said, key)).map(({ problem }) => problem);
  });
  const unknown = (wanted ?? []).filter((name) => !found.remotes.some((one) => one.name === name));
  const strangers = unknown.map((name) => unknownRemote(files, wanted, name));
  return {
    sources: merge(files, remotes, directory),
    problems: once([...found.problems, ...problems, ...strangers]),
  };
}

/** One broken property is in the way of several keys. */
function once(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

/** device_tree.remotes; of a wrong type it is complained about with the rest of the shape. */
function wantedRemotes(root: Table): readonly string[] | undefined {
  const section = root['device_tree'];
  const list = isTable(section) ? section['remotes'] : undefined;
  return Array.isArray(list) ? list.map(String) : undefined;
}

function unknownRemote(
  { root, origins }: MergedSources,
  wanted: readonly string[] | undefined,
  name: string,
): Problem {
  const path = ['device_tree', 'remotes', wanted?.indexOf(name) ?? 0];
  const rule = 'is a remote that the device tree has not';
  return { ...origins.find(root, path, ''), value: JSON.stringify(name), rule };
}

function remoteOf(root: Table, name: string): Table | undefined {
  const list = root['remote'];
  if (!Array.isArray(list)) return undefined;
  return list.find((one): one is Table => isTable(one) && one['name'] === name);
}

/** A remote that a file puts on another platform has nothing to do with the one of the tree. */
function counts({ name }: FoundRemote, root: Table, wanted?: readonly string[]): boolean {
  if (wanted !== undefined && !wanted.includes(name)) return false;
  const platform = remoteOf(root, name)?.['platform'];
  return platform === undefined || platform === 'uio';
}

function says(remote: Table | undefined, [first, second]: RemoteKey): boolean {
  const value = remote?.[first];
  if (second === undefined || value === undefined) return value !== undefined;
  return isTable(value) && value[second] !== undefined;
}

function merge(
  files: MergedSources,
  remotes: readonly FoundRemote[],
  directory: string,
): MergedSources {
  const { origins } = files;
  const list = remotes.map(({ table }) => table);
  for (const [index, { node }] of remotes.entries()) {
    origins.set(list, index, { file: fileOf(directory, node.path), key: '' });
  }
  const root: Table = {};
  mergeInto(root, { remote: list }, origins);
  mergeInto(root, files.root, origins);
  return { root, origins };
}
