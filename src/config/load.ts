// SPDX-License-Identifier: Apache-2.0
// From files to the effective configuration, or to a list of everything that is wrong with them.

import { checkConfig } from './checks.ts';
import { ConfigError, type Problem } from './problems.ts';
import { linkDefaults, resolveRemote } from './resolve.ts';
import type { FileShape } from './schema.ts';
import { configDirectories, findConfigFiles, readSources } from './sources.ts';
import { type ChannelRule, type Config, defaultLimits, type Limits } from './types.ts';
import { complainer, validateShape } from './validate.ts';

export interface ConfigLocation {
  /** This file alone, instead of those in the directories. */
  readonly file?: string | undefined;
  /** Lowest priority first. */
  readonly directories?: readonly string[];
}

/** Throws ConfigError with every problem that was found. */
export function loadConfig({ file, directories }: ConfigLocation = {}): Config {
  const files = file === undefined ? findConfigFiles(directories) : [file];
  const sources = readSources(files);
  const problems: Problem[] = [];
  const complain = complainer(sources, problems, files.at(-1) ?? configDirectories[0]);
  const shape = validateShape(sources, complain);
  if (shape !== undefined) checkConfig(shape, complain);
  if (shape === undefined || problems.length > 0) throw new ConfigError(problems);
  return resolve(shape, files);
}

function resolve(shape: FileShape, files: readonly string[]): Config {
  return {
    files,
    limits: resolveLimits(shape.limits),
    link: {
      busyPollUs: shape.link?.busy_poll_us ?? linkDefaults.busyPollUs,
      realtimePriority: shape.link?.realtime_priority ?? linkDefaults.realtimePriority,
    },
    log: { level: shape.log?.level ?? 'info' },
    remotes: (shape.remote ?? []).map(resolveRemote),
    channels: (shape.channel ?? []).map(
      ({ name, hello, group }): ChannelRule => ({ name, hello: hello ?? false, group }),
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
