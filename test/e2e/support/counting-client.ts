// SPDX-License-Identifier: Apache-2.0
// A program of this folder that runs in a machine as a member of group rpmsg over whatever happens
// there, says in words what it sees, and at its end in a line of JSON what it counted.

import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { users } from './installed.ts';
import type { Machine } from './machine.ts';
import { surroundings } from './surroundings.ts';
import { until } from './until.ts';

export class CountingClient<Verdict> {
  readonly #machine: Machine;
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #lines: string[] = [];

  /** Starts it as a member of group rpmsg, for as long as the test runs at most. */
  constructor(machine: Machine, name: string, args: readonly string[]) {
    this.#machine = machine;
    this.#name = name;
    const program = `/usr/local/bin/${name}`;
    machine.write(program, readFileSync(join(surroundings().helpers, name)), 0o755);
    this.#child = machine.start([program, ...args], { user: users.member });
    this.#child.stderr?.on('data', (data: Buffer) => process.stderr.write(data));
    this.#ended = new Promise((resolve) => this.#child.once('close', () => resolve()));
    if (this.#child.stdout !== null) {
      createInterface(this.#child.stdout).on('line', (line) => this.#lines.push(line));
    }
    onTestFinished(async () => {
      if (this.#child.exitCode === null) await machine.exec(['pkill', '-KILL', '-x', name]);
      await this.#ended;
    });
  }

  /** Waits until it has said the word so many times in all. */
  async said(word: string, count: number): Promise<void> {
    await until(
      () => `${this.#name} says ${word} ${count} times: ${this.#lines.join(', ')}`,
      () => this.#lines.filter((line) => line === word).length >= count,
    );
  }

  /** Waits until messages have come from so many daemons in all. */
  async lives(count: number): Promise<void> {
    await this.said('ALIVE', count);
  }

  /** The words behind OPEN. */
  get opened(): readonly string[] {
    const line = this.#lines.find((text) => text.startsWith('OPEN '));
    return line?.split(' ').slice(1) ?? [];
  }

  /** Ends it when all that was sent had time to come back. */
  async finish(): Promise<Verdict> {
    await this.#machine.must(['pkill', '-TERM', '-x', this.#name]);
    await this.#ended;
    return JSON.parse(this.#lines.at(-1) ?? '{}') as Verdict;
  }
}
