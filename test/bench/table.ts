// SPDX-License-Identifier: Apache-2.0
// The tables on the terminal: the rows with their goals, and the figures beside them.

import { type Figure, isMeasured, type Result } from './result.ts';
import { short } from './rounds.ts';
import { quantile } from './statistics.ts';

function number(value: number | null | undefined): string {
  return value === null || value === undefined ? '-' : short(value);
}

/** Columns as wide as what is in them. */
function aligned(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const padded = (line: readonly string[]) =>
    line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return lines.map((line) => padded(line).trimEnd()).join('\n');
}

function cells({ value, spread, reference, referenceSpread, ratio }: Figure, unit: string) {
  const range = `${number(spread[0])}..${number(spread[1])}`;
  const against = referenceSpread?.map(number).join('..') ?? '-';
  return [number(value), range, unit, number(reference), against, number(ratio)];
}

const figureHead = ['median', 'spread', 'unit', 'reference', 'its spread', 'ratio'];

export function printTable(results: readonly Result[]): string {
  const lines = results.map((result) => {
    const verdict = result.met ? 'met' : 'NOT MET';
    const figures = isMeasured(result)
      ? cells(result, result.unit)
      : ['-', '-', result.unit, '-', '-', '-'];
    return [result.name, ...figures, result.goal, verdict];
  });
  return aligned([['row', ...figureHead, 'goal', ''], ...lines]);
}

/** Other sizes and numbers, and the latencies of single operations; empty if there are none. */
export function printBeside(results: readonly Result[]): string {
  const lines = results.filter(isMeasured).flatMap(({ name, unit, beside, latencies }) => {
    const figures = beside.map((each) => [`${name}, ${each.what}`, ...cells(each, each.unit)]);
    if (latencies === null) return figures;
    const { values, references } = latencies;
    const shares = [0.5, 0.99].map((share) => {
      const [value, reference] = [quantile(values, share), quantile(references, share)];
      const all = [number(value), '-', 'us', number(reference), '-', number(value / reference)];
      return [`${name}, ${share * 100} % of all within`, ...all];
    });
    return [...figures, ...shares].map((line) => line.map((cell) => cell || unit));
  });
  return lines.length === 0 ? '' : aligned([['beside', ...figureHead], ...lines]);
}

/** Why rows could not be measured. */
export function printErrors(results: readonly Result[]): string {
  return results
    .flatMap((result) => (isMeasured(result) ? [] : [`${result.name}: ${result.error}`]))
    .join('\n');
}
