// SPDX-License-Identifier: Apache-2.0
// Runs rows and prints the table; packaging/dev/bench.mjs bundles this and calls it.

import { writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { describePinning } from './pinning.ts';
import type { Row } from './row.ts';
import { rows } from './rows.ts';
import { evaluate, printTable, type Result } from './table.ts';

export interface BenchOptions {
  /** Names of rows; none: all. */
  readonly names: readonly string[];
  readonly rounds: number;
  /** Where the results go as JSON too. */
  readonly json: string | undefined;
  readonly signal: AbortSignal;
}

function chosen(names: readonly string[]): readonly Row[] {
  const unknown = names.find((name) => !rows.some((row) => row.name === name));
  if (unknown !== undefined) {
    const known = rows.map(({ name }) => name).join(', ');
    throw new Error(`there is no row "${unknown}": it is one of ${known}`);
  }
  return names.length === 0 ? rows : rows.filter(({ name }) => names.includes(name));
}

/** What the figures were taken on. */
function machine() {
  const [cpu] = cpus();
  const pinning = describePinning();
  const { version, arch } = process;
  return {
    cpu: cpu?.model ?? '?',
    cpus: cpus().length,
    arch,
    kernel: release(),
    node: version,
    pinning,
  };
}

/** Resolves with whether every goal is met. */
export async function bench({ names, rounds, json, signal }: BenchOptions): Promise<boolean> {
  const selection = chosen(names);
  const taken = machine();
  const results: Result[] = [];
  for (const row of selection) {
    console.log(`== ${row.name}: ${row.what}`);
    const say = (text: string) => console.log(`   ${text}`);
    results.push(evaluate(row, await row.measure({ rounds, signal, say })));
  }
  console.log(`\n${taken.cpus} x ${taken.cpu}, Linux ${taken.kernel}, Node ${taken.node}`);
  console.log(`${taken.pinning}\n`);
  console.log(printTable(results));
  if (json !== undefined) {
    writeFileSync(json, `${JSON.stringify({ machine: taken, rows: results }, null, 2)}\n`);
  }
  return results.every(({ met }) => met);
}
