// SPDX-License-Identifier: Apache-2.0
// The few system calls that Node does not offer, done by the addon: descriptors over a socket, one
// datagram to the service manager or the journal, an exclusive lock on a file, a look at a MU.

import { RpmsgdError } from '../util/errors.ts';
import { errnoError } from './errno.ts';
import { loadAddon } from './native.ts';
import type { MuGeneration, MuLook } from './types.ts';

/**
 * sendmsg(2) with SCM_RIGHTS on a connected stream socket. Returns how many bytes went (the
 * descriptors go with the first), or a negative errno (-11: try again when writable).
 */
export function sendFds(socketFd: number, bytes: Uint8Array, fds: readonly number[]): number {
  return loadAddon().sendFds(socketFd, bytes, fds);
}

/**
 * One datagram to $NOTIFY_SOCKET (a path or @abstract), with at most 16 descriptors. Waits 200 ms at
 * most for room in its queue. Returns false when it could not be sent.
 */
export function notify(socketPath: string, text: string, fds: readonly number[] = []): boolean {
  return loadAddon().notify(socketPath, text, fds) === 0;
}

/**
 * Asks the service manager to say when it has acted on every notification before this one
 * (sd_notify_barrier(3)): the reading end of a pipe that comes to its end then, for the caller to
 * close. Waits as notify() does. Undefined when it could not be asked.
 */
export function notifyBarrier(socketPath: string): number | undefined {
  const fd = loadAddon().notifyBarrier(socketPath);
  return fd < 0 ? undefined : fd;
}

/** Keeps a descriptor from programs that are started from here. False when it is not open. */
export function closeOnExec(fd: number): boolean {
  return loadAddon().closeOnExec(fd) === 0;
}

/** One datagram of fields to the journal. Never waits: false when the journal does not take it now. */
export function journalSend(
  bytes: Uint8Array,
  socketPath = '/run/systemd/journal/socket',
): boolean {
  return loadAddon().journalSend(socketPath, bytes) === 0;
}

/**
 * Takes an exclusive flock(2) on `path` (created 0644, holds the owner's pid) for as long as this
 * process lives. Throws RpmsgdError busy naming the holder's pid when somebody else has it.
 */
export function lockFile(path: string): void {
  const outcome = loadAddon().lockFile(path);
  if (outcome.status === 'held') {
    const holder = outcome.holder > 0 ? `process ${outcome.holder}` : 'another process';
    throw new RpmsgdError('busy', `cannot lock ${path}: ${holder} holds it`);
  }
  if (outcome.status === 'failed') {
    throw new RpmsgdError('os', `cannot lock ${path}: ${outcome.message}`);
  }
}

/**
 * Reads status and control registers of the MU at `offset` bytes of map `map` of a UIO device, beside
 * whoever has it: opened and mapped for reading alone, without its lock; words stay where they are. A
 * MU without its clock may stop the machine when it is read. Throws an error as Node's own where the
 * device cannot be opened or mapped.
 */
export function readMuState(
  path: string,
  map: number,
  offset: number,
  generation: MuGeneration,
): MuLook {
  const look = loadAddon().readMuState(path, map, offset, generation);
  if (typeof look !== 'number') return look;
  throw errnoError('open', look, path);
}
