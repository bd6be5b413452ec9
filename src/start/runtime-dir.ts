// SPDX-License-Identifier: Apache-2.0
// Where the running daemon keeps its lock and what the next one goes on with.

import { join } from 'node:path';

export const lockName = 'rpmsgd.lock';

/** Said outright, given by the service manager, or the usual place for this user; undefined: none. */
export function findRuntimeDir(
  option: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
  uid: number | undefined = process.getuid?.(),
): string | undefined {
  if (option !== undefined) return option;
  const given = env['RUNTIME_DIRECTORY']?.split(':')[0];
  if (given !== undefined && given !== '') return given;
  if (uid === 0) return '/run/rpmsg';
  const session = env['XDG_RUNTIME_DIR'];
  return session === undefined || session === '' ? undefined : join(session, 'rpmsg');
}
