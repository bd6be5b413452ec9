// SPDX-License-Identifier: Apache-2.0
// The integration tests that have a simulated board, over rings and buffers in a UIO mapping: vitest runs
// them in the machine (packaging/dev/vm-suite.mjs), and each of them is a test here.

import { afterAll, describe, expect, test } from 'vitest';
import { Machine } from './support/machine.ts';

const suite = ['addon-life', 'stream-blocked', 'cli-sim'];
const place = '/usr/src/rpmsgd';

interface Result {
  readonly fullName: string;
  readonly status: string;
  readonly failureMessages: readonly string[];
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly Result[];
  }[];
}

const machine = await Machine.boot('integration');
afterAll(() => machine.stop());

async function runSuite(): Promise<Report> {
  const report = '/run/integration.json';
  const run = [
    `cd ${place}; RPMSG_BUILD=${place}/build RPMSG_TEST_HELPERS=${place}/build/helpers`,
    'RPMSG_SOC_MEMORY=uio:rpmsg-mu node node_modules/vitest/vitest.mjs run --no-file-parallelism',
    `--test-timeout=90000 --hook-timeout=90000 --reporter=json --outputFile=${report}`,
  ].join(' ');
  const { output } = await machine.exec(run, 400);
  const { status, output: text } = await machine.exec(`cat ${report}`);
  if (status !== 0) throw new Error(`vitest did not run in the machine:\n${output}`);
  return JSON.parse(text) as Report;
}

const { testResults: files } = await runSuite();

test.each(suite)('%s was run to its end', (name) => {
  const found = files.filter((file) => file.name.endsWith(`/${name}.test.mjs`));
  expect(found.map(({ message }) => message)).toEqual(['']);
  expect(found[0]?.assertionResults).not.toEqual([]);
});

describe('over a UIO mapping', () => {
  const results = files.flatMap(({ assertionResults }) => assertionResults);
  test.each(results.map((result) => [result.fullName, result] as const))('%s', (_, result) => {
    expect(result.failureMessages).toEqual([]);
    expect(result.status).toBe('passed');
  });
});
