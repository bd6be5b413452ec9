// SPDX-License-Identifier: Apache-2.0
// From samples to the table on the terminal and the rows of the JSON file.

import type { Goal, Row, Samples } from './row.ts';

export interface Result {
  readonly name: string;
  /** Median over the rounds, in `unit`; `reference` likewise. */
  readonly value: number;
  readonly unit: string;
  readonly reference: number | null;
  readonly ratio: number | null;
  readonly goal: string;
  readonly met: boolean;
  /** Least and greatest value. */
  readonly spread: readonly [least: number, greatest: number];
  readonly rounds: number;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  if (low === undefined || high === undefined) throw new Error('nothing was measured');
  return (low + high) / 2;
}

function isMet({ limit, is }: Goal, value: number): boolean {
  return is === 'at most' ? value <= limit : value >= limit;
}

export function evaluate({ name, unit, goal }: Row, { values, references }: Samples): Result {
  const value = median(values);
  const reference = references === undefined ? null : median(references);
  const ratio = reference === null ? null : value / reference;
  const sign = goal.is === 'at most' ? '<=' : '>=';
  return {
    name,
    value,
    unit,
    reference,
    ratio,
    goal: `${sign} ${goal.limit}${ratio === null ? ` ${unit}` : ' x'}`,
    met: isMet(goal, ratio ?? value),
    spread: [Math.min(...values), Math.max(...values)],
    rounds: values.length,
  };
}

/** Three significant digits. */
function number(value: number | null): string {
  return value === null ? '-' : String(Number(value.toPrecision(3)));
}

export function printTable(results: readonly Result[]): string {
  const head = ['row', 'median', 'least', 'greatest', 'unit', 'reference', 'ratio', 'goal', ''];
  const lines = results.map(({ name, value, unit, reference, ratio, goal, met, spread }) => [
    name,
    number(value),
    number(spread[0]),
    number(spread[1]),
    unit,
    number(reference),
    number(ratio),
    goal,
    met ? 'met' : 'NOT MET',
  ]);
  const table = [head, ...lines];
  const widths = head.map((_, column) =>
    Math.max(...table.map((line) => line[column]?.length ?? 0)),
  );
  return table
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
