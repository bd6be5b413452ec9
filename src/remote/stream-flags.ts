// SPDX-License-Identifier: Apache-2.0
// How a stream was acquired, as the link and the store have it: one number, whose bits are those of
// native/link/stream_state.cc.

import type { StreamOptions } from '../addon/types.ts';

/** `fixedPeer`: the peer's address outlives resets. */
export function streamFlags(options: StreamOptions, fixedPeer: boolean): number {
  const { reads, writes, withHeader, zeroLength, keepOnReset } = options;
  const all = [reads, writes, withHeader, zeroLength, keepOnReset, fixedPeer];
  return all.reduce((flags, flag, bit) => flags | (flag ? 1 << bit : 0), 0);
}

export function streamOptionsOf(flags: number, hold: number): StreamOptions {
  const [reads, writes, withHeader, zeroLength, keepOnReset] = [0, 1, 2, 3, 4].map(
    (bit) => (flags & (1 << bit)) !== 0,
  ) as [boolean, boolean, boolean, boolean, boolean];
  return { reads, writes, withHeader, zeroLength, keepOnReset, hold };
}
