// SPDX-License-Identifier: Apache-2.0
// What is made of a row's samples: the rows of the JSON file, from which tables and plots are drawn.

import type { Beside, Goal, Latencies, Row, Samples, Series } from './row.ts';
import { median, type Spread, spreadOf } from './statistics.ts';

/** Medians over the rounds, in the row's unit, and the ratio of the two. */
export interface Figure {
  readonly value: number;
  readonly reference: number | null;
  readonly ratio: number | null;
  /** Least and greatest value; of the reference likewise. */
  readonly spread: Spread;
  readonly referenceSpread: Spread | null;
  readonly rounds: number;
}

export interface BesideResult extends Figure {
  readonly what: string;
  readonly sizeBytes: number | null;
  readonly unit: string;
}

interface Common {
  readonly name: string;
  readonly what: string;
  readonly unit: string;
  readonly goal: string;
  readonly met: boolean;
}

export interface Measured extends Common, Figure {
  readonly beside: readonly BesideResult[];
  readonly latencies: Latencies | null;
}

/** A row that could not be measured: its goal is not met. */
export interface Failed extends Common {
  readonly value: null;
  readonly reference: null;
  readonly ratio: null;
  readonly met: false;
  readonly error: string;
}

export type Result = Measured | Failed;

export interface Machine {
  readonly cpu: string;
  readonly cpus: number;
  readonly arch: string;
  readonly kernel: string;
  readonly node: string;
  readonly pinning: string;
}

/** The JSON file. */
export interface Report {
  readonly machine: Machine;
  readonly rows: readonly Result[];
}

export function isMeasured(result: Result): result is Measured {
  return result.value !== null;
}

function figure({ values, references }: Series): Figure {
  const value = median(values);
  const reference = references === undefined ? null : median(references);
  return {
    value,
    reference,
    ratio: reference === null ? null : value / reference,
    spread: spreadOf(values),
    referenceSpread: references === undefined ? null : spreadOf(references),
    rounds: values.length,
  };
}

function isMet({ limit, is }: Goal, value: number): boolean {
  return is === 'at most' ? value <= limit : value >= limit;
}

function goalText({ goal: { limit, is }, unit }: Row, isRatio: boolean): string {
  return `${is === 'at most' ? '<=' : '>='} ${limit} ${isRatio ? 'x' : unit}`;
}

function besideResult(row: Row, { what, sizeBytes, unit, ...series }: Beside): BesideResult {
  return { what, sizeBytes: sizeBytes ?? null, unit: unit ?? row.unit, ...figure(series) };
}

export function evaluate(row: Row, samples: Samples): Measured {
  const { name, what, unit } = row;
  const figures = figure(samples);
  const { value, ratio } = figures;
  return {
    name,
    what,
    unit,
    goal: goalText(row, ratio !== null),
    met: isMet(row.goal, ratio ?? value),
    ...figures,
    beside: (samples.beside ?? []).map((beside) => besideResult(row, beside)),
    latencies: samples.latencies ?? null,
  };
}

export function failed(row: Row, error: Error): Failed {
  const { name, what, unit } = row;
  const nothing = { value: null, reference: null, ratio: null, met: false } as const;
  return { name, what, unit, goal: goalText(row, true), ...nothing, error: error.message };
}
