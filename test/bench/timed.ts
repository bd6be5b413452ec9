// SPDX-License-Identifier: Apache-2.0
// A program under the stopwatch of programs/, which says when it started, was ready and ended. On the
// daemon's CPU.

import { Conversation } from './conversation.ts';
import { daemonCpu, pinned } from './pinning.ts';
import { programPath } from './programs.ts';

export class Timed {
  readonly #stopwatch: Conversation;
  readonly pid: number;
  /** CLOCK_MONOTONIC in ns, as every time here. */
  readonly startedNs: bigint;

  private constructor(stopwatch: Conversation, startedNs: bigint, pid: number) {
    this.#stopwatch = stopwatch;
    this.startedNs = startedNs;
    this.pid = pid;
  }

  static async start(command: readonly string[]): Promise<Timed> {
    const stopwatch = new Conversation(pinned(daemonCpu, programPath('stopwatch'), command));
    const [, ns = '', pid] = await stopwatch.next(/^started (\d+) (\d+)$/);
    return new Timed(stopwatch, BigInt(ns), Number(pid));
  }

  ready(): Promise<bigint> {
    return this.#when('ready');
  }

  exited(): Promise<bigint> {
    return this.#when('exited');
  }

  /** SIGTERM, and its end. */
  stop(): Promise<void> {
    return this.#stopwatch.stop();
  }

  async #when(what: string): Promise<bigint> {
    const [, ns = ''] = await this.#stopwatch.next(new RegExp(`^${what} (\\d+)`));
    return BigInt(ns);
  }
}

/** How long Node itself takes, from its start to its end, in ms. */
export async function nodeMs(): Promise<number> {
  const node = await Timed.start([process.execPath, '-e', '0']);
  const ended = await node.exited();
  await node.stop();
  return Number(ended - node.startedNs) / 1e6;
}
