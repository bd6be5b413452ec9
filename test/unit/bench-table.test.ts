// SPDX-License-Identifier: Apache-2.0
// What the benchmark makes of its samples, and how it shows it.

import { describe, expect, it } from 'vitest';
import { evaluate, failed } from '../bench/result.ts';
import type { Row } from '../bench/row.ts';
import { rows } from '../bench/rows.ts';
import { printBeside, printErrors, printTable } from '../bench/table.ts';

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

  it('that cannot be measured has not met its goal', () => {
    const result = failed(row(1, 'at most'), new Error('no such thing'));
    expect(result).toMatchObject({ value: null, met: false, error: 'no such thing' });
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

  it('has a line for a row that could not be measured, whose reason is told below it', () => {
    const result = failed(row(20, 'at most'), new Error('no such thing'));
    expect(printTable([result])).toMatch(/\nr +- .* NOT MET$/);
    expect(printErrors([result])).toBe('r: no such thing');
  });

  it('has other sizes and latencies in a table of their own', () => {
    const beside = [{ what: '16 B', sizeBytes: 16, values: [2], references: [4] }];
    const latencies = {
      values: [[7, 99] as const, [9, 1] as const],
      references: [[14, 1] as const],
    };
    const result = evaluate(row(1, 'at most'), { values: [1], beside, latencies });
    const lines = printBeside([result]).split('\n').slice(1);
    expect(lines).toEqual([
      expect.stringMatching(/^r, 16 B .* 0\.5$/),
      expect.stringMatching(/^r, 50 % of all within +7 .* 14 .* 0\.5$/),
      expect.stringMatching(/^r, 99 % of all within +7 .* 14 .* 0\.5$/),
    ]);
  });
});

it('has every row that is promised, in this order', () => {
  expect(rows.map(({ name }) => name)).toEqual([
    'bus_send_sync',
    'bus_send_pipelined',
    'bus_signal',
    'stream_tx',
    'stream_rx',
    'stream_rtt',
    'ready_time',
    'restart_gap',
    'rss_idle',
    'rss_per_endpoint',
    'endpoints_1000_rtt',
    'recovery',
  ]);
});

it('holds every row against the limit that is promised', () => {
  const goals = rows.map(({ goal: { limit, is } }) => `${is} ${limit}`);
  expect(goals).toEqual([
    ...Array(3).fill('at least 0.9'),
    ...Array(2).fill('at least 1'),
    'at most 1.3',
    ...Array(2).fill('at most 2'),
    'at most 1.5',
    'at most 4',
    'at most 1.1',
    'at most 20',
  ]);
});
