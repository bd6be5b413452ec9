// SPDX-License-Identifier: Apache-2.0
// What the benchmark makes of its samples.

import { describe, expect, it } from 'vitest';
import type { Row } from '../bench/row.ts';
import { rows } from '../bench/rows.ts';
import { evaluate, printTable } from '../bench/table.ts';

function row(limit: number, is: 'at most' | 'at least'): Row {
  const measure = () => Promise.resolve({ values: [] });
  return { name: 'r', what: 'nothing', unit: 'ms', goal: { limit, is }, measure };
}

describe('a row', () => {
  it('is the median over the rounds, with the least and the greatest', () => {
    const { value, spread, rounds } = evaluate(row(20, 'at most'), { values: [9, 1, 4, 2] });
    expect([value, spread, rounds]).toEqual([3, [1, 9], 4]);
  });

  it('without a reference is held against its goal by its value', () => {
    const result = evaluate(row(20, 'at most'), { values: [21] });
    expect(result).toMatchObject({ reference: null, ratio: null, goal: '<= 20 ms', met: false });
  });

  it('with a reference is held against its goal by the ratio', () => {
    const result = evaluate(row(0.9, 'at least'), { values: [95, 95], references: [100, 100] });
    expect(result).toMatchObject({ reference: 100, ratio: 0.95, goal: '>= 0.9 x', met: true });
  });

  it('of which nothing was measured is an error', () => {
    expect(() => evaluate(row(1, 'at most'), { values: [] })).toThrow(/nothing was measured/);
  });
});

describe('the table', () => {
  it('says of each row whether its goal is met', () => {
    const met = evaluate(row(20, 'at most'), { values: [19.994] });
    const missed = evaluate(row(20, 'at most'), { values: [200] });
    const [, first, second] = printTable([met, missed]).split('\n');
    expect(first).toMatch(/^r +20 .* <= 20 ms +met$/);
    expect(second).toMatch(/^r +200 .* <= 20 ms +NOT MET$/);
  });

  it('has no two rows of one name', () => {
    const names = rows.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
