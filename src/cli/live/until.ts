// SPDX-License-Identifier: Apache-2.0
// Waiting for an end that comes by itself.

import { setTimeout as delay } from 'node:timers/promises';
import type { Bus } from '../../dbus/index.ts';
import { CliStatus, RpmsgctlError } from '../errors.ts';
import type { CommandContext } from '../verb.ts';

/** By then a signal that ended the ssh behind a bus, too, is here. */
const graceMs = 200;

export function untilAbort(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/**
 * Resolves with what `work` does, or with undefined when a live verb is to end before: it is
 * interrupted, or nobody reads its output any more.
 * @throws what `work` does; RpmsgctlError when the bus is lost
 */
export async function untilEnd<Result>(
  { stdout }: CommandContext,
  bus: Bus,
  interruption: AbortSignal,
  work: Promise<Result> = new Promise(() => {}),
): Promise<Result | undefined> {
  const ended = new Promise<undefined>((resolve, reject) => {
    void untilAbort(interruption).then(() => resolve(undefined));
    stdout.once('error', () => resolve(undefined));
    stdout.once('close', () => resolve(undefined));
    bus.once('disconnect', ({ message }: Error) => {
      reject(new RpmsgctlError(CliStatus.unavailable, message));
    });
  });
  try {
    return await Promise.race([work, ended]);
  } catch (error) {
    const isOver = !bus.connected && (await isInterrupted(interruption));
    if (isOver) return undefined;
    throw error;
  }
}

/** Ctrl-C is for every process of the terminal: whose end is seen first says nothing. */
async function isInterrupted(interruption: AbortSignal): Promise<boolean> {
  await Promise.race([untilAbort(interruption), delay(graceMs)]);
  return interruption.aborted;
}
