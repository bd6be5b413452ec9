// SPDX-License-Identifier: Apache-2.0
// What is made of several values of one thing.

/** The middle value, or the mean of the two in the middle. Throws if there is none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  if (low === undefined || high === undefined) throw new Error('nothing was measured');
  return (low + high) / 2;
}

export type Spread = readonly [least: number, greatest: number];

export function spreadOf(values: readonly number[]): Spread {
  return [Math.min(...values), Math.max(...values)];
}

/** How often each value came: [value, times], values rising. */
export type Histogram = readonly (readonly [value: number, times: number])[];

export function merge(histograms: readonly Histogram[]): Histogram {
  const times = new Map<number, number>();
  for (const [value, count] of histograms.flat()) times.set(value, (times.get(value) ?? 0) + count);
  return [...times].sort(([a], [b]) => a - b);
}

/** The value that a share of all stays at or below. Throws if there is none. */
export function quantile(histogram: Histogram, share: number): number {
  const total = histogram.reduce((sum, [, times]) => sum + times, 0);
  let left = Math.ceil(total * share);
  for (const [value, times] of histogram) {
    left -= times;
    if (left <= 0) return value;
  }
  throw new Error('nothing was measured');
}
