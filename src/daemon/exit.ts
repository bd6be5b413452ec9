// SPDX-License-Identifier: Apache-2.0
// Exit statuses: sysexits.h, so that the unit can tell what a restart would mend.

import { ConfigError } from '../config/problems.ts';
import { RpmsgdError } from '../util/errors.ts';

export const ExitStatus = {
  ok: 0,
  /** The bus or our name on it is lost: a restart may mend it. */
  failure: 1,
  usage: 64,
  /** Another daemon holds the lock, or the remote's hardware is not there. */
  unavailable: 69,
  /** A bug. */
  software: 70,
  config: 78,
} as const;

/** An end of the daemon that is not a bug, with the status it exits with. */
export class FatalError extends Error {
  readonly status: number;

  constructor(status: number, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'FatalError';
    this.status = status;
  }
}

/** The status for whatever ended the start or the run. */
export function exitStatus(error: unknown): number {
  if (error instanceof FatalError) return error.status;
  if (error instanceof ConfigError) return ExitStatus.config;
  if (error instanceof RpmsgdError) return ExitStatus.failure;
  return ExitStatus.failure;
}
