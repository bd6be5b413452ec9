// SPDX-License-Identifier: Apache-2.0
// Parts start in order and stop in exact reverse, whatever one of them does.

import { expect, test } from 'vitest';
import { Lifecycle, type Part, StartCancelled } from '../../src/daemon/lifecycle.ts';

const silent = { debug: () => {}, error: () => {} };

function recorder(events: string[]) {
  return (name: string, over: Partial<Part> = {}): Part => ({
    name,
    start: () => void events.push(`+${name}`),
    stop: () => void events.push(`-${name}`),
    ...over,
  });
}

test('parts start in order and stop in reverse', async () => {
  const events: string[] = [];
  const part = recorder(events);
  const lifecycle = new Lifecycle(silent);
  await lifecycle.start([part('a'), part('b'), part('c')]);
  expect(await lifecycle.stop(1000)).toBe(true);
  expect(events).toEqual(['+a', '+b', '+c', '-c', '-b', '-a']);
});

test('a part that fails to start is not stopped, those before it are', async () => {
  const events: string[] = [];
  const part = recorder(events);
  const lifecycle = new Lifecycle(silent);
  const start = () => {
    throw new Error('no bus');
  };
  await expect(lifecycle.start([part('a'), part('b', { start }), part('c')])).rejects.toThrow(
    'no bus',
  );
  await lifecycle.stop(1000);
  expect(events).toEqual(['+a', '-a']);
});

test('a part that fails to stop does not keep the others running, and is told', async () => {
  const events: string[] = [];
  const part = recorder(events);
  const lifecycle = new Lifecycle(silent);
  const stop = () => Promise.reject(new Error('stuck'));
  await lifecycle.start([part('a'), part('b', { stop })]);
  expect(await lifecycle.stop(1000)).toBe(false);
  expect(events).toEqual(['+a', '+b', '-a']);
});

test('a stop while starting waits for the part under way and starts no other', async () => {
  const events: string[] = [];
  const part = recorder(events);
  const lifecycle = new Lifecycle(silent);
  let finish = () => {};
  const start = () =>
    new Promise<void>((resolve) => {
      finish = resolve;
    });
  const starting = lifecycle.start([part('a'), part('b', { start }), part('c')]);
  await Promise.resolve();
  const stopping = lifecycle.stop(1000);
  finish();
  await expect(starting).rejects.toThrow(StartCancelled);
  expect(await stopping).toBe(true);
  expect(events).toEqual(['+a', '-b', '-a']);
});

test('a stop that takes too long ends at its deadline', async () => {
  const lifecycle = new Lifecycle(silent);
  await lifecycle.start([{ name: 'a', start: () => {}, stop: () => new Promise(() => {}) }]);
  expect(await lifecycle.stop(5)).toBe(false);
});

test('stopping twice is stopping once', async () => {
  const events: string[] = [];
  const lifecycle = new Lifecycle(silent);
  await lifecycle.start([recorder(events)('a')]);
  await Promise.all([lifecycle.stop(1000), lifecycle.stop(1000)]);
  expect(events).toEqual(['+a', '-a']);
});
