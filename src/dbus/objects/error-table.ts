// SPDX-License-Identifier: Apache-2.0
// The one table from error codes to the names that clients see, and the wrapper that every method
// handler runs in.

import { type ErrorCode, RpmsgdError } from '../../util/errors.ts';
import { BusError, ErrorName, type MethodCall } from '../index.ts';

const prefix = 'org.rpmsg.Error';

export const busErrorNames = {
  invalid_argument: ErrorName.invalidArgs,
  message_too_long: `${prefix}.MessageTooLong`,
  would_block: `${prefix}.WouldBlock`,
  timed_out: `${prefix}.TimedOut`,
  not_connected: `${prefix}.NotConnected`,
  remote_down: `${prefix}.RemoteDown`,
  remote_reset: `${prefix}.RemoteReset`,
  shutting_down: `${prefix}.ShuttingDown`,
  address_in_use: `${prefix}.AddressInUse`,
  no_such_address: `${prefix}.NoSuchAddress`,
  no_such_endpoint: `${prefix}.NoSuchAddress`,
  quota_exceeded: `${prefix}.QuotaExceeded`,
  busy: `${prefix}.Busy`,
  cancelled: ErrorName.failed,
  not_supported: `${prefix}.NotSupported`,
  not_owner: `${prefix}.NotOwner`,
  access_denied: ErrorName.accessDenied,
  faulted: `${prefix}.Faulted`,
  peer_fault: `${prefix}.Faulted`,
  os: ErrorName.failed,
} as const satisfies Record<ErrorCode, string>;

/** What the export layer may send; anything that is no outcome stays what it is, to be logged. */
export function toBusError(error: unknown): unknown {
  if (!(error instanceof RpmsgdError) || error.code === 'os') return error;
  return new BusError(busErrorNames[error.code], error.message);
}

/** What every target of a handler has. */
export interface Served {
  readonly core: { readonly isStopping: boolean };
}

export function refuseWhenStopping({ core }: Served): void {
  if (core.isStopping) throw new RpmsgdError('shutting_down', 'the daemon is stopping');
}

/** Makes a handler whose RpmsgdErrors reach the caller by their names. */
export function serve<T extends Served, A extends unknown[]>(
  handler: (target: T, call: MethodCall, ...args: A) => unknown,
): (target: T, call: MethodCall, ...args: A) => unknown {
  return (target, call, ...args) => {
    try {
      refuseWhenStopping(target);
      const result = handler(target, call, ...args);
      if (!(result instanceof Promise)) return result;
      return result.catch((error: unknown) => {
        throw toBusError(error);
      });
    } catch (error) {
      throw toBusError(error);
    }
  };
}

export function notSupported(what: string): never {
  throw new RpmsgdError('not_supported', `${what} is not supported by this version`);
}
