// SPDX-License-Identifier: Apache-2.0
// How a stream was acquired, as the link and the store have it: one number, whose bits are those of
// native/link/stream_state.cc.

import type { StreamOptions } from '../addon/types.ts';

/** `peer`: it is given and outlives resets; it is a channel's; or whoever sends first is it. */
export function streamFlags(options: StreamOptions, peer: 'fixed' | 'channel' | 'learned'): number {
  const { reads, writes, withHeader, zeroLength, keepOnReset } = options;
  const isFixed = peer === 'fixed';
  const isBound = peer === 'channel';
  const all = [reads, writes, withHeader, zeroLength, keepOnReset, isFixed, isBound];
  return all.reduce((flags, flag, bit) => flags | (flag ? 1 << bit : 0), 0);
}

export function streamOptionsOf(flags: number, hold: number): StreamOptions {
  const [reads, writes, withHeader, zeroLength, keepOnReset] = [0, 1, 2, 3, 4].map(
    (bit) => (flags & (1 << bit)) !== 0,
  ) as [boolean, boolean, boolean, boolean, boolean];
  return { reads, writes, withHeader, zeroLength, keepOnReset, hold };
}
