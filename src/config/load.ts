// SPDX-License-Identifier: Apache-2.0
// From files to the effective configuration, or to a list of everything that is wrong with them.

import { checkConfig } from './checks.ts';
import { chooseTree, layOverDeviceTree, openTree, type TreeSource } from './device-tree.ts';
import type { PathStep } from './origins.ts';
import { ConfigError, type Problem } from './problems.ts';
import { linkDefaults, resolveRemote } from './resolve.ts';
import type { FileShape } from './schema.ts';
import {
  configDirectories,
  configPaths,
  findConfigFiles,
  type MergedSources,
  readSources,
} from './sources.ts';
import { ttyDefaults } from './tty-names.ts';
import { type ChannelRule, type Config, defaultLimits, type Limits } from './types.ts';
import { complainer, validateShape } from './validate.ts';

export interface ConfigLocation {
  /** This file alone, instead of those in the directories. */
  readonly file?: string | undefined;
  /** Lowest priority first. */
  readonly directories?: readonly string[];
  /** A device tree in a directory; the live one by default, and none with `file`. */
  readonly deviceTree?: string | undefined;
  /** False: the live one is not read either. */
  readonly liveTree?: boolean;
}

/** Where the value came from that a path of keys leads to; undefined: nobody said it. */
export type OriginOf = (path: readonly PathStep[]) => string | undefined;

export interface ExplainedConfig {
  readonly config: Config;
  readonly originOf: OriginOf;
}

/** Files and folders on which the configuration depends, be they there or not. */
export function configOrigins(location: ConfigLocation = {}): string[] {
  const { file, directories, deviceTree, liveTree: isLive = file === undefined } = location;
  const files = file === undefined ? configPaths(directories) : [file];
  return [...files, chooseTree(deviceTree, isLive) ?? []].flat();
}

/** Throws ConfigError with every problem that was found. */
export function loadConfig(location: ConfigLocation = {}): Config {
  return loadExplained(location).config;
}

/** The same, and where each value came from. */
export function loadExplained(location: ConfigLocation = {}): ExplainedConfig {
  const { file, directories, deviceTree, liveTree: isLive = file === undefined } = location;
  const files = file === undefined ? findConfigFiles(directories) : [file];
  const directory = chooseTree(deviceTree, isLive);
  const sources = readSources(files);
  const problems: Problem[] = [];
  const tree = directory === undefined ? undefined : openTree(directory, problems);
  return explain({ files, sources, tree, problems });
}

/** What a configuration is made of. */
export interface ConfigSources {
  readonly files: readonly string[];
  /** The files' contents. */
  readonly sources: MergedSources;
  readonly tree: TreeSource | undefined;
  /** What is wrong already. */
  readonly problems: readonly Problem[];
}

/** Lays the files over the device tree, checks everything and fills in defaults. */
export function explain({ files, sources, tree, problems: known }: ConfigSources): ExplainedConfig {
  const laid = tree === undefined ? undefined : layOverDeviceTree(sources, tree);
  const problems = [...known, ...(laid?.problems ?? [])];
  const all = laid?.sources ?? sources;
  const fallback = files.at(-1) ?? tree?.directory ?? configDirectories[0];
  const complain = complainer(all, problems, fallback);
  const shape = validateShape(all, complain);
  if (shape !== undefined) checkConfig(shape, complain);
  if (shape === undefined || problems.length > 0) throw new ConfigError(problems);
  const config = resolve(shape, files, tree?.directory);
  return { config, originOf: (path) => originIn(all, path) };
}

function originIn({ root, origins }: MergedSources, path: readonly PathStep[]): string | undefined {
  let here: unknown = root;
  for (const step of path) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = (here as Record<PathStep, unknown>)[step];
  }
  if (here === undefined) return undefined;
  const { file, key } = origins.find(root, path, '');
  return key === '' ? file : `${file}: ${key}`;
}

function resolve(shape: FileShape, files: readonly string[], deviceTree?: string): Config {
  return {
    files,
    deviceTree,
    limits: resolveLimits(shape.limits),
    link: {
      busyPollUs: shape.link?.busy_poll_us ?? linkDefaults.busyPollUs,
      realtimePriority: shape.link?.realtime_priority ?? linkDefaults.realtimePriority,
    },
    log: { level: shape.log?.level ?? 'info' },
    remotes: (shape.remote ?? []).map(resolveRemote),
    channels: (shape.channel ?? []).map(
      ({ name, hello, tty, group }): ChannelRule => ({
        name,
        hello: hello ?? ttyDefaults(name).hello,
        tty: tty ?? ttyDefaults(name).tty,
        group,
      }),
    ),
  };
}

/** `send_timeout_ms` is `sendTimeoutMs`. */
export function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function resolveLimits(given: FileShape['limits']): Limits {
  const entries = Object.entries(defaultLimits).map(([key, value]) => {
    const said = given?.[snakeCase(key) as keyof typeof given];
    return [key, said ?? value];
  });
  return Object.fromEntries(entries) as Limits;
}
