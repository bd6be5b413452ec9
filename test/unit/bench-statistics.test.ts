// SPDX-License-Identifier: Apache-2.0
// The benchmark's arithmetic, its rounds, and the memory it counts.

import { describe, expect, it } from 'vitest';
import { residentKib } from '../bench/memory.ts';
import { sideBySide } from '../bench/rounds.ts';
import { median, merge, quantile, spreadOf } from '../bench/statistics.ts';

describe('statistics', () => {
  it('take the middle value, or the mean of the two in the middle', () => {
    expect(median([5, 1, 9])).toBe(5);
    expect(median([5, 1, 9, 7])).toBe(6);
    expect(spreadOf([5, 1, 9])).toEqual([1, 9]);
  });

  it('add up histograms value by value, rising', () => {
    expect(
      merge([
        [
          [3, 1],
          [1, 2],
        ],
        [[3, 4]],
      ]),
    ).toEqual([
      [1, 2],
      [3, 5],
    ]);
  });

  it('find the value that a share of all stays within', () => {
    const histogram = [
      [1, 98],
      [50, 1],
      [900, 1],
    ] as const;
    expect([0.5, 0.98, 0.99, 1].map((share) => quantile(histogram, share))).toEqual([
      1, 1, 50, 900,
    ]);
    expect(() => quantile([], 0.5)).toThrow(/nothing was measured/);
  });
});

describe('rounds', () => {
  it('measure both sides right after each other, each first every other time', async () => {
    const order: string[] = [];
    let taken = 0;
    const take = (side: string) => () => {
      order.push(side);
      return Promise.resolve(++taken);
    };
    const context = { rounds: 3, signal: new AbortController().signal, say: () => {} };
    const series = await sideBySide(context, '', take('mine'), take('theirs'));
    expect(order.slice(-6).join(' ')).toBe('mine theirs theirs mine mine theirs');
    // Three rounds before these warmed up.
    expect(series).toEqual({ values: [7, 10, 11], references: [8, 9, 12] });
  });

  it('end when they are told to', async () => {
    const context = { rounds: 3, signal: AbortSignal.abort(new Error('stop')), say: () => {} };
    await expect(sideBySide(context, '', expect.unreachable, expect.unreachable)).rejects.toThrow(
      'stop',
    );
  });
});

it('counts resident memory without what is mapped of the board', () => {
  const smaps = [
    '00400000-00500000 r-xp 00000000 08:01 1 /usr/bin/node',
    'Rss:                 300 kB',
    '7f0000000000-7f0000100000 rw-s 00000000 00:01 2 /memfd:rpmsg-ddr (deleted)',
    'Rss:                1024 kB',
    '7f0000200000-7f0000300000 rw-s 00000000 00:01 3 /run/rpmsg/cm40.state',
    'Rss:                  40 kB',
    '7f0000400000-7f0000500000 rw-p 00000000 00:00 0 ',
    'Rss:                   2 kB',
  ];
  expect(residentKib(smaps.join('\n'))).toBe(342);
});
