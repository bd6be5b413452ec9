// SPDX-License-Identifier: Apache-2.0
// How the remotes were set up by the daemon that runs, for the next one to open them before it has read
// any configuration. It counts for the same program with the same arguments, as long as nothing that the
// configuration was made of has changed.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ThreadSetup } from '../addon/early-link.ts';
import { addonPath } from '../addon/native.ts';
import type { RemoteSetup } from '../addon/types.ts';
import { fileIdentity } from './file-identity.ts';
import { readPrivateFile, writePrivateFile } from './private-file.ts';

const fileName = 'setup.json';

export interface Setup {
  readonly thread: ThreadSetup;
  readonly remotes: readonly RemoteSetup[];
}

/** Everything that a setup follows from. */
export interface Origin {
  readonly args: readonly string[];
  /** [path, identity] of the program, and of each file and folder of the configuration. */
  readonly files: readonly (readonly [path: string, identity: string])[];
}

interface StoredSetup extends Setup {
  readonly origin: Origin;
}

/** To be taken before the files are read: what changes while they are is a change then. */
export function originOf(args: readonly string[], configPaths: readonly string[]): Origin {
  const files = [__filename, addonPath(), ...configPaths];
  return { args, files: files.map((path) => [path, fileIdentity(path)]) };
}

/** False where it cannot be written. The next start then takes its time. */
export function writeSetup(directory: string, origin: Origin, setup: Setup): boolean {
  const stored: StoredSetup = { origin, ...setup };
  return writePrivateFile(join(directory, fileName), JSON.stringify(stored));
}

/** Undefined where there is none that counts. */
export function readSetup(directory: string, args: readonly string[]): Setup | undefined {
  const text = readPrivateFile(join(directory, fileName))?.toString();
  if (text === undefined) return undefined;
  try {
    const { origin, ...setup } = JSON.parse(text) as StoredSetup;
    const isSame = origin.args.join('\0') === args.join('\0');
    const isCurrent = origin.files.every(([path, identity]) => fileIdentity(path) === identity);
    return isSame && isCurrent && setup.remotes.length > 0 ? setup : undefined;
  } catch {
    return undefined; // what is none was not written by a daemon
  }
}

/** The next start is in the usual order. */
export function dropSetup(directory: string): void {
  rmSync(join(directory, fileName), { force: true });
}

/** Of the file itself. */
export function setupIdentity(directory: string): string {
  return fileIdentity(join(directory, fileName));
}

export function isSameSetup(one: Setup, other: Setup): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
