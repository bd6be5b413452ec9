// SPDX-License-Identifier: Apache-2.0
// The directory of the running daemon and the lock in it: one daemon a machine.

import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockFile } from '../addon/system.ts';
import { pathElement } from '../rpmsg/channel-name.ts';
import { findRuntimeDir, lockName } from '../start/runtime-dir.ts';
import { ObjectStore } from '../state/object-store.ts';
import { RpmsgdError } from '../util/errors.ts';
import { ExitStatus, FatalError } from './exit.ts';

const stateSuffix = '.state';

/** Where it is (findRuntimeDir). Throws FatalError where there is none. */
export function chooseRuntimeDir(...where: Parameters<typeof findRuntimeDir>): string {
  const found = findRuntimeDir(...where);
  if (found !== undefined) return found;
  throw new FatalError(
    ExitStatus.failure,
    'there is no place for the lock: neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR is set; use --runtime-dir DIR',
  );
}

/**
 * Where the link keeps the state of a remote. One that an earlier daemon of this boot has known may be
 * alive: if its state is gone an empty file stands for it, so that the link looks at the rings before it
 * makes new ones.
 */
export function stateFilePath(directory: string, remote: string): string {
  const path = join(directory, stateFileName(remote));
  if (existsSync(path) || !ObjectStore.knows(directory, remote)) return path;
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
  } catch {
    // Whatever is wrong with the directory, the link says it.
  }
  return path;
}

/**
 * When a remote is configured that has no state yet, removes the states of those that are not configured
 * any more: the new one may be an old one by another name, and lays out the same rings. One that comes
 * back with a state of before would go on with rings that are no longer so; without, the link looks at
 * the rings themselves.
 */
export function dropOtherStates(directory: string, remotes: readonly string[]): void {
  const kept = new Set(remotes.map(stateFileName));
  if ([...kept].every((name) => existsSync(join(directory, name)))) return;
  for (const name of readdirSync(directory)) {
    if (!name.endsWith(stateSuffix) || kept.has(name)) continue;
    rmSync(join(directory, name), { force: true, recursive: true });
  }
}

function stateFileName(remote: string): string {
  return `${pathElement(Buffer.from(remote))}${stateSuffix}`;
}

/** Held until this process ends. Throws FatalError naming the holder when somebody else has it. */
export function takeLock(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FatalError(ExitStatus.failure, `cannot make ${directory}: ${reason}`, { cause });
  }
  try {
    lockFile(join(directory, lockName));
  } catch (cause) {
    if (!(cause instanceof RpmsgdError)) throw cause;
    const status = cause.code === 'busy' ? ExitStatus.unavailable : ExitStatus.failure;
    const advice =
      cause.code === 'busy' ? '; one daemon a machine owns the remotes: stop it first' : '';
    throw new FatalError(status, `${cause.message}${advice}`, { cause });
  }
}
