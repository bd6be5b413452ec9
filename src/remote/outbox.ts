// SPDX-License-Identifier: Apache-2.0
// Sends on their way into a ring: what may wait, for whom, and who is told how it ended.

import type { LinkApi } from '../addon/link-api.ts';
import type { SendStart } from '../addon/types.ts';
import type { ErrorCode } from '../util/errors.ts';
import { type Caller, daemonCallerId } from './callers.ts';

export type SendOutcome = 'sent' | ErrorCode;

export interface OutboxLimits {
  readonly sendsPerSender: number;
  readonly sendsPerEndpoint: number;
}

/** The sending side of one endpoint. */
export interface SendQueue {
  readonly id: number;
  /** Sends that wait for a buffer on it. */
  waitingSends: number;
}

interface Waiting {
  readonly queue: SendQueue;
  /** Undefined: the daemon's own. */
  readonly caller: Caller | undefined;
  readonly done: (outcome: SendOutcome) => void;
}

const lastToken = 0x7fffffff;

export class Outbox {
  readonly #link: Pick<LinkApi, 'send' | 'cancelCaller'>;
  readonly #limits: () => OutboxLimits;
  readonly #waiting = new Map<number, Waiting>();
  readonly #watched = new WeakSet<Caller>();
  #token = 1;

  constructor(link: Pick<LinkApi, 'send' | 'cancelCaller'>, limits: () => OutboxLimits) {
    this.#link = link;
    this.#limits = limits;
  }

  /** Sends that wait, all together. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Sends, or queues for up to `timeoutMs` (0: never). `done` is called only after the answer was
   * 'queued', once, and never when the caller leaves the bus before. The bytes are copied at once.
   * 'quota_exceeded': it would have had to wait, and too many of this caller or endpoint do already.
   */
  send(
    queue: SendQueue,
    destination: number,
    data: Uint8Array,
    caller: Caller | undefined,
    timeoutMs: number,
    done: (outcome: SendOutcome) => void,
  ): SendStart {
    const mayWait = timeoutMs > 0 && this.#mayWait(queue, caller);
    const start = this.#link.send({
      endpoint: queue.id,
      destination,
      data,
      caller: caller?.id ?? daemonCallerId,
      timeoutMs: mayWait ? timeoutMs : 0,
      token: this.#token,
    });
    if (start === 'sent') return start;
    if (start === 'would_block') return timeoutMs > 0 ? 'quota_exceeded' : start;
    if (start === 'queued') this.#wait({ queue, caller, done });
    return start;
  }

  /** What the link says about a send that was queued. */
  sendDone(token: number, outcome: SendOutcome): void {
    const waiting = this.#forget(token);
    waiting?.done(outcome);
  }

  /** The link is to put nothing more of what waits into a ring; failAll follows. */
  cancelAll(): void {
    const callers = new Set([...this.#waiting.values()].map(({ caller }) => caller?.id));
    for (const id of callers) this.#link.cancelCaller(id ?? daemonCallerId);
  }

  /** Ends everything that waits, when the link will not do it any more. */
  failAll(outcome: ErrorCode): void {
    for (const token of [...this.#waiting.keys()]) this.sendDone(token, outcome);
  }

  #mayWait(queue: SendQueue, caller: Caller | undefined): boolean {
    const { sendsPerSender, sendsPerEndpoint } = this.#limits();
    if (caller === undefined) return true;
    return caller.waitingSends < sendsPerSender && queue.waitingSends < sendsPerEndpoint;
  }

  #wait(waiting: Waiting): void {
    this.#waiting.set(this.#token, waiting);
    do {
      this.#token = this.#token === lastToken ? 1 : this.#token + 1;
    } while (this.#waiting.has(this.#token));
    const { queue, caller } = waiting;
    queue.waitingSends++;
    if (caller === undefined) return;
    caller.waitingSends++;
    if (this.#watched.has(caller)) return;
    this.#watched.add(caller);
    caller.onVanish({ vanished: () => this.#cancel(caller) });
  }

  #forget(token: number): Waiting | undefined {
    const waiting = this.#waiting.get(token);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(token);
    waiting.queue.waitingSends--;
    if (waiting.caller !== undefined) waiting.caller.waitingSends--;
    return waiting;
  }

  #cancel(caller: Caller): void {
    this.#link.cancelCaller(caller.id);
    for (const [token, waiting] of this.#waiting) {
      if (waiting.caller === caller) this.#forget(token);
    }
  }
}
