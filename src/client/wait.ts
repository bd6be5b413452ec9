// SPDX-License-Identifier: Apache-2.0
// Promises that are waited for so long and no longer.

import { rpmsgError } from './names.ts';

/** @throws RpmsgError TimedOut, saying `what` and how long it was waited for */
export async function inTime<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(rpmsgError('TimedOut', `${what} within ${timeoutMs} ms`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}
