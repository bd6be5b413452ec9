// SPDX-License-Identifier: Apache-2.0
// Which boot of the machine this is.

import { readFileSync } from 'node:fs';

/** random(4): a new UUID each boot. Empty where /proc does not show it. */
export function bootId(path = '/proc/sys/kernel/random/boot_id'): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
