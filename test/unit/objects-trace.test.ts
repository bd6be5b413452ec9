// SPDX-License-Identifier: Apache-2.0
// Remote.ReadTrace, and rpmsgctl trace's usage, without a bus.

import { expect, test } from 'vitest';
import { CliStatus } from '../../src/cli/errors.ts';
import { runRpmsgctl } from '../support/rpmsgctl-run.ts';
import { errorName, Harness } from './support/objects-harness.ts';

const path = '/org/rpmsg/cm40';

function readTrace(harness: Harness, offset: bigint, max: number): Promise<unknown> {
  return harness.call(path, 'org.rpmsg.Remote', 'ReadTrace', [offset, max]);
}

test('a trace comes in pieces, each with where the next one begins', async () => {
  const harness = Harness.up();
  harness.link.trace = 'one\ntwo\n';
  expect(await readTrace(harness, 0n, 4)).toEqual([Buffer.from('one\n'), 4]);
  expect(await readTrace(harness, 4n, 100)).toEqual([Buffer.from('two\n'), 8]);
  expect(await readTrace(harness, 8n, 100)).toEqual([Buffer.alloc(0), 8]);
});

test('an offset beyond every number begins anew, as any that the text does not reach', async () => {
  const harness = Harness.up();
  harness.link.trace = 'one\n';
  expect(await readTrace(harness, 2n ** 64n - 1n, 100)).toEqual([Buffer.from('one\n'), 4]);
});

test('a remote without a trace buffer is NotSupported', async () => {
  const harness = Harness.up();
  expect(await errorName(readTrace(harness, 0n, 1))).toBe('org.rpmsg.Error.NotSupported');
});

test('rpmsgctl trace takes one remote at most, and no other verb follows', async () => {
  const two = await runRpmsgctl('trace', 'cm40', 'cm41');
  expect(two).toMatchObject({ status: CliStatus.usage });
  expect(two.err).toContain('"cm41"');
  const list = await runRpmsgctl('list', '--follow');
  expect(list).toMatchObject({ status: CliStatus.usage });
  expect(list.err).toContain('--follow is for trace');
});
