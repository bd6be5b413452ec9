// SPDX-License-Identifier: Apache-2.0
// The addon's system calls answer -errno; this is the error that Node would make of it.

import { getSystemErrorName } from 'node:util';

export const EAGAIN = 11;
export const EPIPE = 32;
export const ECONNRESET = 104;

/** An error as Node's own: its message is `connect ENOENT /path`, its code ENOENT. */
export function errnoError(operation: string, result: number, object = ''): NodeJS.ErrnoException {
  const code = getSystemErrorName(result);
  const message = [operation, code, object].filter((word) => word !== '').join(' ');
  return Object.assign(new Error(message), { code, errno: result, syscall: operation });
}
