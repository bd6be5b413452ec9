// SPDX-License-Identifier: Apache-2.0
// What a row of the benchmark is: one file that exports one Row or a few, listed in rows.ts.

import type { Histogram } from './statistics.ts';

/** One value a round, and the same of what it is held against, taken in the same rounds. */
export interface Series {
  readonly values: readonly number[];
  /** Left out where there is none. */
  readonly references?: readonly number[];
}

/** A figure that no goal is set for: another size, more endpoints. For the second table and plots. */
export interface Beside extends Series {
  /** What is other than in the row, like "16 B". */
  readonly what: string;
  /** Bytes of payload a message, where that is what differs. */
  readonly sizeBytes?: number;
  /** The row's, unless it says so. */
  readonly unit?: string;
}

/** Of single operations, in microseconds. */
export interface Latencies {
  readonly values: Histogram;
  readonly references: Histogram;
}

export interface Samples extends Series {
  readonly beside?: readonly Beside[];
  readonly latencies?: Latencies;
}

export interface Goal {
  readonly limit: number;
  /** Whether the limit may not be exceeded, or must be reached. */
  readonly is: 'at most' | 'at least';
}

export interface RowContext {
  /** Rounds that count; how many come before them to warm up is the row's to know. */
  readonly rounds: number;
  readonly signal: AbortSignal;
  /** Shown while it runs. */
  say(text: string): void;
}

export interface Row {
  /** As it is in the JSON file and on the command line. */
  readonly name: string;
  /** For people: what is measured, against what. */
  readonly what: string;
  readonly unit: string;
  /** For the ratio of value to reference where there is a reference, else for the value. */
  readonly goal: Goal;
  measure(context: RowContext): Promise<Samples>;
}
