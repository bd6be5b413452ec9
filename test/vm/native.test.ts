// SPDX-License-Identifier: Apache-2.0
// What only a real kernel shows: a UIO device with its interrupt, and the link's own tests with rings
// and buffers in a UIO mapping. Each is a test case of build/arm64/vm-tests, run in the machine.

import { afterAll, describe, expect, test } from 'vitest';
import { Machine, quoted } from './support/machine.ts';

const program = '/usr/lib/rpmsgd/vm-tests';
const machine = await Machine.boot('native');
afterAll(() => machine.stop());

/** Sources of the link's tests that are about memory and interrupts. */
const linkSources = ['echo', 'receive', 'send', 'restart', 'resume', 'hostile', 'turns'];

/**
 * What of resets neither waits for a notice of SCFW, which forgets what it has said and is listened to
 * for 30 ms that emulation often exceeds, nor has to be faster than another time limit.
 */
const resetCases = [
  'the partition of a core is learned from SCFW, or taken from the configuration',
  'a configured partition is believed',
  'with the SCU taken by another the remote works, and says what is missing',
  'firmware that started over without notice faults its vdev alone, until Reinitialize',
  'Reinitialize of firmware that does not initialise its stack says so after a second',
];

/** Cases that cannot be here: two boards at a time, or more messages than emulation moves in time. */
const excluded = [
  'what cannot be opened is refused in a sentence*',
  'another board is another life*',
  'a flood while the main thread is busy*',
];

/** A name as a filter takes it: a comma would part two filters. */
function filter(name: string): string {
  return quoted(name.replaceAll(',', '?'));
}

async function cases(sources: readonly string[]): Promise<string[]> {
  const files = sources.map((source) => `*${source}_test.cc`).join();
  const list = `${program} -ltc -sf=${quoted(files)} -tce=${filter(excluded.join('\0'))}`;
  const output = await machine.must(list.replaceAll('\0', ','));
  return output.split('\n').filter((line) => line !== '' && !/^(\[doctest\]|=+$)/.test(line));
}

/** Runs one test case; a filter that matches none would pass as well. */
async function passes(name: string, environment = ''): Promise<void> {
  const run = `RPMSG_BUILD=/usr/bin ${environment} ${program} --no-intro -tc=${filter(name)}`;
  const { output } = await machine.exec(run);
  expect(output).toMatch(/test cases: +1 \| +1 passed \| +0 failed/);
}

describe('a real UIO device', async () => {
  test.each(await cases(['uio_hardware']))('%s', (name) => passes(name));
});

describe('over a UIO mapping', async () => {
  const ofSources = await cases(linkSources.map((source) => `link_${source}`));
  test.each([...ofSources, ...resetCases])('%s', (name) =>
    passes(name, 'RPMSG_SOC_MEMORY=uio:rpmsg-mu'),
  );
});
