// SPDX-License-Identifier: Apache-2.0
// One machine for all tests of a file, thrown away behind them; a test that fails shows the journal.

import { afterAll, afterEach, beforeAll } from 'vitest';
import type { Machine } from './machine.ts';

/** Makes the machine before the file's first test; the function returned gives it to a test. */
export function sharedMachine(make: () => Promise<Machine>): () => Machine {
  let machine: Machine | undefined;
  beforeAll(async () => {
    machine = await make();
  }, 120_000);
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail' || machine === undefined) return;
    console.error(`journal of "${task.name}":\n${await machine.recentJournal()}`);
  });
  afterAll(async () => {
    await machine?.stop();
  });
  return () => {
    if (machine === undefined) throw new Error('the machine is not made yet');
    return machine;
  };
}
