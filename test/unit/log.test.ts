// SPDX-License-Identifier: Apache-2.0
// What is written to standard error, and how little of it a misbehaving peer can cause.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FaultLog, limitWarnings } from '../../src/util/fault-log.ts';
import { createLogger } from '../../src/util/log.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function lines(format: 'auto' | 'plain' | 'json', env = {}) {
  const written: string[] = [];
  const write = (text: string) => void written.push(text);
  return { written, logger: createLogger({ level: 'info', format, env, write }) };
}

test('the journal gets a priority, the message and its fields', () => {
  const { written, logger } = lines('auto', { JOURNAL_STREAM: '8:1' });
  logger.error({ remote: 'cm40', vdev: 1, why: 'two words' }, 'ring is broken');
  logger.warn('odd');
  logger.info('fine');
  expect(written).toEqual([
    '<3>ring is broken remote=cm40 vdev=1 why="two words"\n',
    '<4>odd\n',
    '<6>fine\n',
  ]);
});

test('a line of a peer cannot become two', () => {
  const { written, logger } = lines('plain');
  logger.warn({ name: 'a\n<0>b' }, 'first\nsecond');
  expect(written).toEqual(['warn  first\\nsecond name="a\\n<0>b"\n']);
});

test('an error is its message; only a bug shows its stack', () => {
  const { written, logger } = lines('plain');
  logger.error({ err: new Error('no such bus') }, 'cannot connect');
  logger.fatal({ err: new Error('oops') }, 'bug');
  expect(written[0]).toBe('error cannot connect: no such bus\n');
  expect(written[1]).toMatch(/^fatal bug: oops stack="Error: oops/);
});

test('JSON is one object a line', () => {
  const { written, logger } = lines('json');
  logger.info({ a: 1 }, 'hello');
  expect(JSON.parse(written[0] ?? '')).toMatchObject({ level: 30, a: 1, msg: 'hello' });
});

test('the level can be changed while running', () => {
  const { written, logger } = lines('plain');
  logger.debug('hidden');
  logger.level = 'debug';
  logger.debug('shown');
  expect(written).toEqual(['debug shown\n']);
});

test('a flood of one fault is a few lines and a count', () => {
  const seen: object[] = [];
  const log = new FaultLog(
    { warn: (details) => void seen.push(details) },
    { burst: 2, intervalMs: 100 },
  );
  for (let i = 0; i < 1000; i++) log.warn('malformed', { i }, 'malformed message');
  expect(seen).toEqual([{ i: 0 }, { i: 1 }]);
  vi.advanceTimersByTime(100);
  expect(seen.slice(2)).toEqual([{ i: 999, suppressed: 998 }]);
  log.warn('malformed', { i: 1000 }, 'malformed message');
  expect(seen).toHaveLength(4);
});

test('one kind of fault does not hide another', () => {
  const seen: string[] = [];
  const log = new FaultLog({ warn: (_details, message) => void seen.push(message) }, { burst: 1 });
  log.warn('a', {}, 'first');
  log.warn('a', {}, 'first');
  log.warn('b', {}, 'second');
  expect(seen).toEqual(['first', 'second']);
});

test('warnings of one remote are bounded, errors and other remotes are not', () => {
  const seen: object[] = [];
  const take = (details: object) => void seen.push(details);
  const log = limitWarnings({ debug: take, info: take, warn: take, error: take }, { burst: 1 });
  for (let i = 0; i < 3; i++) log.warn({ remote: 'cm40', vdev: 0, i }, 'odd');
  log.warn({ remote: 'cm41', vdev: 0 }, 'odd');
  for (let i = 0; i < 2; i++) log.error({ i }, 'bad');
  expect(seen).toEqual([
    { remote: 'cm40', vdev: 0, i: 0 },
    { remote: 'cm41', vdev: 0 },
    { i: 0 },
    { i: 1 },
  ]);
});
