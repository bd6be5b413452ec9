// SPDX-License-Identifier: Apache-2.0
// The program traffic.c in a machine: messages both ways over whatever happens to the daemon.

import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { users } from './installed.ts';
import type { Machine } from './machine.ts';
import { surroundings } from './surroundings.ts';
import { until } from './until.ts';

/** What became of every message; traffic.c counts. */
export interface Verdict {
  /** Calls that were answered: in the ring. */
  readonly sent: number;
  /** Calls that were told that nothing was sent. */
  readonly refused: number;
  /** Calls whose daemon died before it answered. */
  readonly doubtful: number;
  /** Sent, and no echo. */
  readonly lost: number;
  /** Echoed twice, as different messages. */
  readonly doubled: number;
  /** Refused, and echoed all the same. */
  readonly untrue: number;
  /** Numbers left out between two messages of an endpoint. */
  readonly gaps: number;
  /** Messages that came again under the same number. */
  readonly repeated: number;
  /** Orders to `source` that were taken, of so many messages each. */
  readonly orders: number;
  readonly ordersDoubtful: number;
  /** How often the rarest and the most frequent message of an order came. */
  readonly leastOfOrder: number;
  readonly mostOfOrder: number;
  /** Errors that no restart explains, and the last one's name. */
  readonly unexpected: number;
  readonly unexpectedName: string;
  /** Between which times (CLOCK_MONOTONIC in ms) no message was taken from the ring. */
  readonly pauses: readonly (readonly [number, number])[];
}

const program = '/usr/local/bin/traffic';
const device = '/org/rpmsg/cm40/vdev0';

export class Traffic {
  readonly #machine: Machine;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #lines: string[] = [];

  private constructor(machine: Machine) {
    this.#machine = machine;
    machine.write(program, readFileSync(join(surroundings().helpers, 'traffic')), 0o755);
    const channels = [`${device}/channel_echo`, `${device}/channel_source`];
    this.#child = machine.start([program, ...channels], { user: users.member });
    this.#child.stderr?.on('data', (data: Buffer) => process.stderr.write(data));
    this.#ended = new Promise((resolve) => this.#child.once('close', () => resolve()));
    if (this.#child.stdout !== null) {
      createInterface(this.#child.stdout).on('line', (line) => this.#lines.push(line));
    }
  }

  /** Resolves when messages come. */
  static async start(machine: Machine): Promise<Traffic> {
    const traffic = new Traffic(machine);
    await traffic.lives(1);
    return traffic;
  }

  /** Waits until messages have come from so many daemons in all. */
  async lives(count: number): Promise<void> {
    await until(
      () => `messages come from daemon ${count}: ${this.#lines.join(', ')}`,
      () => this.#lines.filter((line) => line === 'ALIVE').length >= count,
    );
  }

  /** The client's unique name, and the paths of its endpoints. */
  get opened(): { readonly owner: string; readonly paths: readonly string[] } {
    const line = this.#lines.find((text) => text.startsWith('OPEN '));
    const [, owner = '', ...paths] = line?.split(' ') ?? [];
    return { owner, paths };
  }

  /** Ends it when all that was sent had time to come back. */
  async finish(): Promise<Verdict> {
    await this.#machine.must(['pkill', '-TERM', '-x', 'traffic']);
    await this.#ended;
    return JSON.parse(this.#lines.at(-1) ?? '{}') as Verdict;
  }
}
