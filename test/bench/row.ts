// SPDX-License-Identifier: Apache-2.0
// What a row of the benchmark is: one file that exports one Row, listed in rows.ts.

export interface Samples {
  /** One value a round. */
  readonly values: readonly number[];
  /** The same of what it is held against, measured in the same rounds; left out where there is none. */
  readonly references?: readonly number[];
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
