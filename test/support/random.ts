// SPDX-License-Identifier: Apache-2.0
// Random numbers that are the same in every run, so that what fails can be run again.

/** Returns a function that yields integers in [0, below), by mulberry32. */
export function randomGenerator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
