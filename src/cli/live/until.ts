// SPDX-License-Identifier: Apache-2.0
// Waiting for an end that comes by itself.

import type { Bus } from '../../dbus/index.ts';
import { CliStatus, RpmsgctlError } from '../errors.ts';
import type { CommandContext } from '../verb.ts';

export function untilAbort(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/**
 * Resolves when a live verb is to end: it is interrupted, or nobody reads its output any more.
 * Rejects when the bus is lost.
 */
export function untilEnd(
  { stdout }: CommandContext,
  bus: Bus,
  interruption: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    void untilAbort(interruption).then(resolve);
    stdout.once('error', () => resolve());
    stdout.once('close', () => resolve());
    // With Ctrl-C the ssh behind the bus may end before this is told of it.
    bus.once('disconnect', (error: Error) => {
      setImmediate(() => reject(new RpmsgctlError(CliStatus.unavailable, error.message)));
    });
  });
}
