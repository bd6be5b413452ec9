// SPDX-License-Identifier: Apache-2.0
// The first act of a daemon that goes on with living remotes. One of them may wait in a loop until its
// register is drained: that is not to take until the program has been compiled, the configuration read
// and checked. The daemon before has left how it had set them up; nothing that it follows from has
// changed; so the link is opened, behind the lock, as it will turn out to be right.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type EarlyLink, openEarly } from '../addon/early-link.ts';
import { lockFile } from '../addon/system.ts';
import { findRuntimeDir, lockName } from './runtime-dir.ts';
import { readSetup, type Setup, setupIdentity } from './setup-file.ts';

export interface FirstAct {
  /** The runtime directory, whose lock is this process's. */
  readonly directory: string;
  readonly setup: Setup;
  /** Undefined where it did not work out: in the usual order it will, or will say why not. */
  readonly link: EarlyLink | undefined;
}

/** Undefined where the usual order is all there is: nothing has been touched then. */
export function firstAct(args: readonly string[]): FirstAct | undefined {
  const directory = findRuntimeDir(runtimeDirOption(args));
  if (directory === undefined) return undefined;
  const identity = setupIdentity(directory);
  const setup = readSetup(directory, args);
  if (setup === undefined || !isLocked(directory)) return undefined;
  // Whoever held the lock until now may have written another one.
  if (setupIdentity(directory) !== identity) return { directory, setup, link: undefined };
  return { directory, setup, link: openLink(setup) };
}

/** The arguments are those of a daemon that ran: there is nothing wrong with them. */
function runtimeDirOption(args: readonly string[]): string | undefined {
  const option = '--runtime-dir';
  let value: string | undefined;
  for (const [index, arg] of args.entries()) {
    if (arg === option) value = args[index + 1];
    else if (arg.startsWith(`${option}=`)) value = arg.slice(option.length + 1);
  }
  return value;
}

function isLocked(directory: string): boolean {
  try {
    lockFile(join(directory, lockName));
    return true;
  } catch {
    return false; // taking it once more will say why
  }
}

function openLink({ remotes, thread }: Setup): EarlyLink | undefined {
  try {
    // Without its state a remote takes more thought.
    if (!remotes.every(({ stateFile }) => statSync(stateFile).size > 0)) return undefined;
    return openEarly(remotes, thread);
  } catch {
    return undefined;
  }
}
