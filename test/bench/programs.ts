// SPDX-License-Identifier: Apache-2.0
// The native programs that measure and that are measured against: what is in programs/, built by
// CMake's target `bench`.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { Child } from '../../packaging/dev/child.mjs';
import { checkout } from '../support/daemon-process.ts';
import { pinned } from './pinning.ts';
import type { Histogram } from './statistics.ts';

const timeoutMs = 60_000;

export type Program =
  | 'bus-client'
  | 'bus-service'
  | 'stream-client'
  | 'bare-relay'
  | 'inprocess-host'
  | 'stopwatch';

/** What each client prints as JSON when it is done. */
export interface Measured {
  readonly count: number;
  readonly seconds: number;
  /** Of the single operations, in microseconds. */
  readonly latency?: Histogram;
}

export function programPath(name: Program): string {
  return join(checkout, 'build/bench', name);
}

/** Operations a second. */
export function rate({ count, seconds }: Measured): number {
  return count / seconds;
}

/** Microseconds an operation. */
export function each({ count, seconds }: Measured): number {
  return (seconds * 1e6) / count;
}

/** Runs a client to its end; rejects with what it said if it does not end well. */
export function runClient(
  cpu: number,
  name: Program,
  args: readonly (string | number)[],
): Promise<Measured> {
  const [command = '', ...words] = pinned(cpu, programPath(name), args.map(String));
  return new Promise((resolve, reject) => {
    execFile(command, words, { timeout: timeoutMs }, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout));
      else reject(new Error(`${name} ${args.join(' ')}: ${stderr.trim() || error.message}`));
    });
  });
}

/** Starts a program that says READY when it can be used. */
export async function startReference(
  cpu: number,
  name: Program,
  args: readonly (string | number)[],
): Promise<Child> {
  const [command = '', ...words] = pinned(cpu, programPath(name), args.map(String));
  const child = new Child(name, command, words);
  await child.said(/^READY$/m);
  return child;
}
