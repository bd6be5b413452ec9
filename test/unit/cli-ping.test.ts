// SPDX-License-Identifier: Apache-2.0
// What rpmsgctl ping and top make of numbers.

import { expect, test } from 'vitest';
import type { RemoteObject } from '../../src/cli/objects.ts';
import { drawHistogram, RoundTrips } from '../../src/cli/ping/statistics.ts';
import { activities } from '../../src/cli/top/sample.ts';

function tripsOf(...timesMs: number[]): RoundTrips {
  const trips = new RoundTrips();
  for (const timeMs of timesMs) {
    trips.sent++;
    trips.add(timeMs);
  }
  return trips;
}

test('round trips have the extremes, the mean and the deviation that ping(8) tells', () => {
  expect(tripsOf(1, 3, 5, 7).summary()).toEqual({
    minMs: 1,
    meanMs: 4,
    maxMs: 7,
    deviationMs: Math.sqrt(5),
  });
  expect(tripsOf().summary()).toBeUndefined();
});

test('what did not come back, or came back altered, is counted apart', () => {
  const trips = tripsOf(1, 1);
  trips.sent += 3;
  trips.altered = 1;
  expect([trips.sent, trips.received, trips.lost, trips.altered]).toEqual([5, 2, 2, 1]);
});

test('a histogram has every round trip, and each bucket from the first to the last', () => {
  const buckets = tripsOf(0.0005, 0.1, 0.199, 0.2, 1.5).histogram();
  expect(buckets[0]).toEqual({ fromUs: 0, toUs: 1, count: 1 });
  expect(buckets.find(({ fromUs }) => fromUs === 100)).toEqual({
    fromUs: 100,
    toUs: 200,
    count: 2,
  });
  expect(buckets.at(-1)).toEqual({ fromUs: 1000, toUs: 2000, count: 1 });
  expect(buckets.reduce((sum, { count }) => sum + count, 0)).toBe(5);
  for (const [index, { toUs }] of buckets.slice(0, -1).entries()) {
    expect(buckets[index + 1]?.fromUs).toBe(toUs);
  }
  expect(tripsOf().histogram()).toEqual([]);
});

test('its longest bar fills the width, and none is wider', () => {
  const drawn = drawHistogram(tripsOf(...Array(90).fill(0.15), 3).histogram(), 60);
  const lines = drawn.trimEnd().split('\n');
  expect(Math.max(...lines.map(({ length }) => length))).toBe(60);
  expect(lines[0]).toMatch(/^100 us - 200 us {2}90 {2}#+$/);
  expect(lines.at(-1)).toMatch(/ 2 ms - 5 ms {3}1 {2}#$/);
});

const vdev: RemoteObject = { path: '/org/rpmsg/cm40/vdev0', interfaces: { Device: {} } };

function sample(timeMs: number, stats: Record<string, bigint>) {
  return { timeMs, stats: new Map([[vdev.path, stats]]) };
}

test('rates are what counters grew by in a second, losses of every kind together', () => {
  const before = sample(1000, { rx_messages: 10n, rx_bytes: 100n, tx_waits: 0n, rx_drops: 1n });
  const later = { rx_messages: 30n, rx_bytes: 500n, tx_waits: 3n, rx_drops: 2n, tx_timeouts: 4n };
  expect(activities([vdev], before, sample(3000, later))).toMatchObject([
    { rxMessages: 10, rxBytes: 200, txMessages: 0, drops: 5, waits: 3 },
  ]);
});

test('a counter of a daemon that began anew counts from zero, and who is gone has no row', () => {
  const before = sample(0, { rx_messages: 1000n });
  const [activity] = activities([vdev], before, sample(1000, { rx_messages: 5n }));
  expect(activity?.rxMessages).toBe(5);
  expect(activities([vdev], before, { timeMs: 1000, stats: new Map() })).toEqual([]);
});
