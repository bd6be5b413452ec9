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
  /** Time was over before what was waited for came. */
  timedOut: 75,
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
  'org.rpmsg.Error.TimedOut': CliStatus.timedOut,
};

export interface Explanation {
  readonly status: number;
  /** The sentence for standard error. */
  readonly message: string;
  /** Of the D-Bus error that it is. */
  readonly name?: string;
}

export function explain(error: unknown): Explanation {
  if (error instanceof RpmsgctlError) return { status: error.status, message: error.message };
  if (!(error instanceof BusError)) {
    return {
      status: CliStatus.failure,
      message: error instanceof Error ? error.message : String(error),
    };
  }
  const { name } = error;
  const status = statuses[name] ?? CliStatus.failure;
  if (name === `${prefix}ServiceUnknown` || name === `${prefix}NameHasNoOwner`) {
    return { status, name, message: 'rpmsgd is not running on this bus: systemctl start rpmsgd' };
  }
  return { status, name, message: `${error.message} (${name})` };
}
