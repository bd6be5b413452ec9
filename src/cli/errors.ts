// SPDX-License-Identifier: Apache-2.0
// Exit statuses of rpmsgctl (sysexits.h) and which failure has which.

import { BusError } from '../dbus/index.ts';

export const CliStatus = {
  ok: 0,
  /** The daemon, or the simulated SoC, answered with an error. */
  failure: 1,
  usage: 64,
  /** No bus, no daemon on it, or no simulated SoC. */
  unavailable: 69,
  /** The bus's policy or the daemon forbids it. */
  noPermission: 77,
} as const;

/** A failure that is told as it is. */
export class RpmsgctlError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'RpmsgctlError';
    this.status = status;
  }
}

const prefix = 'org.freedesktop.DBus.Error.';
const statuses: Readonly<Record<string, number>> = {
  [`${prefix}AccessDenied`]: CliStatus.noPermission,
  [`${prefix}ServiceUnknown`]: CliStatus.unavailable,
  [`${prefix}NameHasNoOwner`]: CliStatus.unavailable,
  [`${prefix}NoReply`]: CliStatus.unavailable,
  [`${prefix}Disconnected`]: CliStatus.unavailable,
};

/** The status, and the sentence for standard error. */
export function explain(error: unknown): { status: number; message: string } {
  if (error instanceof RpmsgctlError) return { status: error.status, message: error.message };
  if (!(error instanceof BusError)) {
    return {
      status: CliStatus.failure,
      message: error instanceof Error ? error.message : String(error),
    };
  }
  const status = statuses[error.name] ?? CliStatus.failure;
  if (error.name === `${prefix}ServiceUnknown` || error.name === `${prefix}NameHasNoOwner`) {
    return { status, message: 'rpmsgd is not running on this bus: systemctl start rpmsgd' };
  }
  return { status, message: `${error.message} (${error.name})` };
}
