// SPDX-License-Identifier: Apache-2.0
// Buffers of several remotes in one pool: Linux' drivers allocate from it as they come; here each
// gets an equal part, in the order of the tree. Firmware learns the addresses from descriptors.

import type { FoundRemote } from './found.ts';

const pageBytes = 0x1000;

export function shareBuffers(remotes: readonly FoundRemote[]): void {
  const pools = new Map<number, FoundRemote[]>();
  for (const remote of remotes) {
    const base = windowOf(remote)?.base;
    if (base !== undefined) pools.set(base, [...(pools.get(base) ?? []), remote]);
  }
  for (const users of pools.values()) {
    if (users.length < 2) continue;
    for (const [index, remote] of users.entries()) {
      const window = windowOf(remote);
      if (window === undefined) continue;
      const part = Math.floor(window.size / users.length / pageBytes) * pageBytes;
      // The table keeps its origins: both numbers still come from that property.
      window.base += index * part;
      window.size = part;
    }
  }
}

function windowOf({ table }: FoundRemote): { base: number; size: number } | undefined {
  return table['buffers'] as { base: number; size: number } | undefined;
}
