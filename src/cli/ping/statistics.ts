// SPDX-License-Identifier: Apache-2.0
// Round trips, summed up as ping(8) does, and as a histogram.

export interface Bucket {
  readonly fromUs: number;
  readonly toUs: number;
  readonly count: number;
}

export class RoundTrips {
  sent = 0;
  /** Answers that were not what was sent. */
  altered = 0;
  readonly #timesMs: number[] = [];

  /** One that came back whole. */
  add(timeMs: number): void {
    this.#timesMs.push(timeMs);
  }

  get received(): number {
    return this.#timesMs.length;
  }

  get lost(): number {
    return this.sent - this.received - this.altered;
  }

  /** Of those that came back; undefined if none did. */
  summary() {
    const times = this.#timesMs;
    if (times.length === 0) return undefined;
    const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
    const variance = times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / times.length;
    const minMs = times.reduce((a, b) => Math.min(a, b));
    const maxMs = times.reduce((a, b) => Math.max(a, b));
    return { minMs, meanMs: mean, maxMs, deviationMs: Math.sqrt(variance) };
  }

  /** Without a gap from the fastest to the slowest; limits are 1, 2 or 5 times a power of ten. */
  histogram(): Bucket[] {
    const counts = new Map<number, number>();
    for (const timeMs of this.#timesMs) {
      const step = stepOf(timeMs * 1000);
      counts.set(step, (counts.get(step) ?? 0) + 1);
    }
    const steps = [...counts.keys()];
    if (steps.length === 0) return [];
    const first = Math.min(...steps);
    return Array.from({ length: Math.max(...steps) - first + 1 }, (_, index) => {
      const step = first + index;
      return { fromUs: limitOf(step), toUs: limitOf(step + 1), count: counts.get(step) ?? 0 };
    });
  }
}

/** Lower limit of a step in us: 0, then 1, 2, 5, 10, 20, 50… */
function limitOf(step: number): number {
  if (step === 0) return 0;
  const digit = [1, 2, 5][(step - 1) % 3] ?? 1;
  return digit * 10 ** Math.floor((step - 1) / 3);
}

function stepOf(timeUs: number): number {
  let step = 0;
  while (limitOf(step + 1) <= timeUs) step++;
  return step;
}

/** A line a bucket, the longest bar filling the columns. */
export function drawHistogram(buckets: readonly Bucket[], columns: number): string {
  const rows = buckets.map(({ fromUs, toUs, count }) => {
    return { range: `${timeText(fromUs)} - ${timeText(toUs)}`, count };
  });
  const rangeWidth = Math.max(...rows.map(({ range }) => range.length));
  const countWidth = Math.max(...rows.map(({ count }) => String(count).length));
  const most = Math.max(...rows.map(({ count }) => count));
  const room = Math.max(10, columns - rangeWidth - countWidth - 4);
  return rows
    .map(({ range, count }) => {
      const bar = '#'.repeat(Math.ceil((count / most) * room));
      return `${range.padStart(rangeWidth)}  ${String(count).padStart(countWidth)}  ${bar}`;
    })
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function timeText(us: number): string {
  if (us < 1000) return `${us} us`;
  return us < 1_000_000 ? `${us / 1000} ms` : `${us / 1_000_000} s`;
}
