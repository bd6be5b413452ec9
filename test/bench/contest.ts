// SPDX-License-Identifier: Apache-2.0
// The daemon and a reference that do the same, each at its pace: how fast, how long a single operation
// takes, and how much of the CPU it costs the one that serves.

import { cpuSeconds } from './cpu-time.ts';
import { Pace } from './pace.ts';
import type { Measured } from './programs.ts';
import { sideBySide } from './rounds.ts';
import type { Beside, Latencies, RowContext, Series } from './row.ts';
import { type Histogram, merge } from './statistics.ts';

/** Of a daemon that runs for months: after so many rounds V8 has optimised what it will. */
const warmUpRounds = 10;

export interface Side {
  /** Of the process whose CPU time counts: the daemon, or what stands for it. */
  readonly pid: number;
  run(count: number): Promise<Measured>;
  /** Where it can be asked: how many messages have arrived at the other end. */
  arrived?(): Promise<number>;
}

/** What was seen of one side. */
class Seen {
  readonly latencies: Histogram[] = [];
  /** Microseconds of CPU time an operation, one a run. */
  readonly cpuUs: number[] = [];
  readonly #pace = new Pace();
  readonly #side: Side;

  constructor(side: Side) {
    this.#side = side;
  }

  async run(): Promise<Measured> {
    const { pid } = this.#side;
    const arrivedBefore = await this.#side.arrived?.();
    const before = cpuSeconds(pid);
    const measured = await this.#side.run(this.#pace.count);
    this.cpuUs.push(((cpuSeconds(pid) - before) * 1e6) / measured.count);
    const arrived = Number(await this.#side.arrived?.()) - Number(arrivedBefore);
    if (arrivedBefore !== undefined && arrived !== measured.count) {
      throw new Error(`of ${measured.count} messages sent ${arrived} arrived`);
    }
    if (measured.latency !== undefined) this.latencies.push(measured.latency);
    this.#pace.learn(measured);
    return measured;
  }
}

export class Contest {
  readonly #daemon: Seen;
  readonly #reference: Seen;
  readonly #value: (measured: Measured) => number;

  /** `value` is what a run is worth. */
  constructor(daemon: Side, reference: Side, value: (measured: Measured) => number) {
    this.#daemon = new Seen(daemon);
    this.#reference = new Seen(reference);
    this.#value = value;
  }

  run(context: RowContext, what: string): Promise<Required<Series>> {
    return sideBySide(
      context,
      what,
      async () => this.#value(await this.#daemon.run()),
      async () => this.#value(await this.#reference.run()),
      warmUpRounds,
    );
  }

  get latencies(): { readonly latencies?: Latencies } {
    const [values, references] = [this.#daemon.latencies, this.#reference.latencies];
    if (values.length === 0) return {};
    return { latencies: { values: merge(values), references: merge(references) } };
  }

  /** Of the rounds that count, and of those after them. */
  get cpu(): Beside {
    const sides = [this.#daemon.cpuUs, this.#reference.cpuUs] as const;
    const [values, references] = sides.map((all) => all.slice(warmUpRounds)) as [
      number[],
      number[],
    ];
    return { what: 'CPU time of an operation', unit: 'us', values, references };
  }
}
