// SPDX-License-Identifier: Apache-2.0
// Runs rows, prints the tables and writes what is asked for; packaging/dev/bench.mjs bundles this and
// calls it.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { checkout } from '../support/daemon-process.ts';
import { describePinning } from './pinning.ts';
import { machineText, plotsFolder, readmeBlock, replaceBlock } from './readme.ts';
import { evaluate, failed, type Machine, type Report, type Result } from './result.ts';
import type { Row } from './row.ts';
import { rows } from './rows.ts';
import { printBeside, printErrors, printTable } from './table.ts';

export interface BenchOptions {
  /** Names of rows; none: all. */
  readonly names: readonly string[];
  readonly rounds: number;
  readonly signal: AbortSignal;
  /** A JSON file to take the results from, instead of measuring. */
  readonly from?: string | undefined;
  /** Where the results go as JSON too. */
  readonly json?: string | undefined;
  /** The folder into which the plots are written. */
  readonly svg?: string | undefined;
  /** Whether the README's block and its plots are written. */
  readonly readme?: boolean | undefined;
}

function chosen(names: readonly string[], all: readonly Row[]): readonly Row[] {
  const unknown = names.find((name) => !all.some((row) => row.name === name));
  if (unknown !== undefined) {
    const known = all.map(({ name }) => name).join(', ');
    throw new Error(`there is no row "${unknown}": it is one of ${known}`);
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

/** What the figures were taken on. */
function machine(): Machine {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model ?? '?',
    cpus: cpus().length,
    arch: process.arch,
    kernel: release(),
    node: process.version,
    pinning: describePinning(),
  };
}

/** A row that cannot be measured does not keep the others from it. */
async function measure(row: Row, rounds: number, signal: AbortSignal): Promise<Result> {
  console.log(`== ${row.name}: ${row.what}`);
  const say = (text: string) => console.log(`   ${text}`);
  try {
    return evaluate(row, await row.measure({ rounds, signal, say }));
  } catch (error) {
    signal.throwIfAborted();
    say(`failed: ${(error as Error).message}`);
    return failed(row, error as Error);
  }
}

async function measureAll(
  { names, rounds, signal }: BenchOptions,
  all: readonly Row[],
): Promise<Report> {
  const selection = chosen(names, all);
  const taken = machine();
  console.log(taken.pinning);
  const results: Result[] = [];
  for (const row of selection) results.push(await measure(row, rounds, signal));
  return { machine: taken, rows: results };
}

async function writePlots(folder: string, results: readonly Result[]): Promise<void> {
  const { drawLatencies, drawThroughput } = await import('./plots.ts');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'latency.svg'), drawLatencies(results));
  writeFileSync(join(folder, 'throughput.svg'), drawThroughput(results));
}

async function writeReadme(report: Report): Promise<void> {
  const path = join(checkout, 'README.md');
  writeFileSync(path, replaceBlock(readFileSync(path, 'utf8'), readmeBlock(report)));
  await writePlots(join(checkout, plotsFolder), report.rows);
}

function print({ machine: taken, rows: results }: Report): void {
  const texts = [
    machineText(taken),
    printTable(results),
    printBeside(results),
    printErrors(results),
  ];
  for (const text of texts) if (text !== '') console.log(`\n${text}`);
}

/** Resolves with whether every goal is met. */
export async function bench(options: BenchOptions, all: readonly Row[] = rows): Promise<boolean> {
  const { from, json, svg, readme } = options;
  const report: Report =
    from === undefined ? await measureAll(options, all) : JSON.parse(readFileSync(from, 'utf8'));
  print(report);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 1)}\n`);
  if (svg !== undefined) await writePlots(svg, report.rows);
  if (readme === true) await writeReadme(report);
  return report.rows.every(({ met }) => met);
}
