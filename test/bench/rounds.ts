// SPDX-License-Identifier: Apache-2.0
// Rounds in which two things are measured right after each other, so that what else the machine does
// meets both.

import type { RowContext, Series } from './row.ts';
import { median } from './statistics.ts';

const usualWarmUpRounds = 3;

export type Take = () => Promise<number>;

/** Three significant digits. */
export function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** One round of both, each first in every other round. */
async function oneRound(round: number, mine: Take, theirs: Take): Promise<[number, number]> {
  if (round % 2 === 0) return [await mine(), await theirs()];
  const reference = await theirs();
  return [await mine(), reference];
}

/** Measures `mine` against `theirs`, after rounds that do not count: code is compiled, paces are learnt. */
export async function sideBySide(
  { rounds, signal, say }: RowContext,
  what: string,
  mine: Take,
  theirs: Take,
  warmUpRounds = usualWarmUpRounds,
): Promise<Required<Series>> {
  const values: number[] = [];
  const references: number[] = [];
  for (let round = -warmUpRounds; round < rounds; round++) {
    signal.throwIfAborted();
    const [value, reference] = await oneRound(round, mine, theirs);
    if (round < 0) continue;
    values.push(value);
    references.push(reference);
  }
  const ratio = short(median(values) / median(references));
  say(`${what}: ${short(median(values))} against ${short(median(references))}, ratio ${ratio}`);
  return { values, references };
}

/** For figures beside a row: a third of the rounds. */
export function fewer(context: RowContext): RowContext {
  return { ...context, rounds: Math.ceil(context.rounds / 3) };
}
