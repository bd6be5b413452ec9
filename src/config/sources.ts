// SPDX-License-Identifier: Apache-2.0
// Which files make up the configuration, and their merged contents.
//
// As with systemd: a file of a higher directory hides the one of the same name in a lower one, and
// what is left is read in order, rpmsgd.toml first, then the drop-ins by name.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { mergeInto } from './merge.ts';
import { Origins, type Table } from './origins.ts';
import { ConfigError } from './problems.ts';

/** Lowest priority first. */
export const configDirectories = ['/usr/lib/rpmsg', '/run/rpmsg', '/etc/rpmsg'] as const;
const mainName = 'rpmsgd.toml';
const dropInFolder = 'rpmsgd.toml.d';

/** The files to read, lowest priority first. */
export function findConfigFiles(directories: readonly string[] = configDirectories): string[] {
  let main: string | undefined;
  const dropIns = new Map<string, string>();
  for (const directory of directories) {
    if (existsSync(join(directory, mainName))) main = join(directory, mainName);
    for (const name of listDropIns(join(directory, dropInFolder))) {
      dropIns.set(name, join(directory, dropInFolder, name));
    }
  }
  const byName = [...dropIns].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
  return main === undefined ? byName : [main, ...byName];
}

/** All that findConfigFiles() looks at: what it finds is the same as long as none of these changes. */
export function configPaths(directories: readonly string[] = configDirectories): string[] {
  const places = directories.flatMap((directory) => [
    join(directory, mainName),
    join(directory, dropInFolder),
  ]);
  return [...places, ...findConfigFiles(directories)];
}

function listDropIns(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.toml') && !name.startsWith('.'));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

export interface MergedSources {
  readonly root: Table;
  readonly origins: Origins;
}

/** Reads and merges `files`, lowest priority first. Throws ConfigError for all unreadable ones. */
export function readSources(files: readonly string[]): MergedSources {
  const origins = new Origins();
  const root: Table = {};
  const problems = [];
  for (const file of files) {
    try {
      const table: Table = parse(readFileSync(file, 'utf8'));
      origins.mark(table, file);
      problems.push(...mergeInto(root, table, origins));
    } catch (error) {
      problems.push({ file, key: '', rule: describe(error) });
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { root, origins };
}

function describe(error: unknown): string {
  if (error instanceof TomlError) {
    const [reason] = error.message.split('\n');
    return `line ${error.line}, column ${error.column}: ${reason}`;
  }
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'there is no such file; name one that exists';
  if (code === 'EACCES') return `may not be read by this user (uid ${process.getuid?.()})`;
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}
