// SPDX-License-Identifier: Apache-2.0
// The one error class and the one list of codes. The addon, the bus error table and the exit codes of
// rpmsgctl all speak these codes; a code without a bus name does not compile (src/dbus/objects).

export const errorCodes = [
  'invalid_argument',
  'message_too_long',
  'would_block',
  'timed_out',
  'not_connected',
  'remote_down',
  'remote_reset',
  'shutting_down',
  'address_in_use',
  'no_such_address',
  'no_such_endpoint',
  'quota_exceeded',
  'busy',
  'cancelled',
  'not_supported',
  'not_owner',
  'access_denied',
  'faulted',
  'peer_fault',
  'os',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** An outcome with a name. The message is a sentence for a person: lower case, no full stop. */
export class RpmsgdError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'RpmsgdError';
    this.code = code;
  }
}
