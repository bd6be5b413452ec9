// SPDX-License-Identifier: Apache-2.0
// One client that has messages sent to it as signals, and its credit: never more than the window
// beyond what it has acknowledged.

import type { ReceivedMessage } from '../addon/types.ts';

export type AckMode = 'auto' | 'manual';

/** How messages and the question "have you read them" reach a subscriber. */
export interface SubscriberPort {
  message(message: ReceivedMessage): void;
  /** So many messages before the next one were lost. */
  overrun(dropped: number): void;
  /** Yields true when the subscriber has read all that was sent to it before. Never rejects. */
  ping(): Promise<boolean>;
}

/** The same port; `count` hears of what is lost too. */
export function countingOverruns(
  port: SubscriberPort,
  count: (dropped: number) => void,
): SubscriberPort {
  return {
    message: (message) => port.message(message),
    overrun: (dropped) => {
      count(dropped);
      port.overrun(dropped);
    },
    ping: () => port.ping(),
  };
}

export interface SubscriberSetup {
  readonly window: number;
  readonly ack: AckMode;
  /** The number of the first message it is to get. */
  readonly cursor: number;
  /** After how many messages to ask, in mode auto. */
  readonly pingEach: number;
  /** Numbers that an earlier daemon sent and that are not acknowledged, ascending. */
  readonly outstanding?: readonly number[] | undefined;
}

/** A client's subscription of one endpoint. */
export interface Subscribed {
  readonly subscriber: Subscriber;
  readonly end: () => void;
}

const firstRetryMs = 1_000;
const lastRetryMs = 60_000;

export class Subscriber {
  readonly window: number;
  readonly ack: AckMode;
  /** Messages from this number on have not been sent to it. */
  cursor: number;
  readonly #port: SubscriberPort;
  readonly #pingEach: number;
  readonly #acknowledged: () => void;
  /** Numbers sent and not acknowledged, ascending; at most the window. */
  #outstanding: number[] = [];
  #sinceLastPing = 0;
  #isPinging = false;
  #retryMs = firstRetryMs;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** `acknowledged` is called whenever credit has come back. */
  constructor(setup: SubscriberSetup, port: SubscriberPort, acknowledged: () => void) {
    this.window = setup.window;
    this.ack = setup.ack;
    this.cursor = setup.cursor;
    this.#pingEach = setup.pingEach;
    this.#port = port;
    this.#acknowledged = acknowledged;
    this.#outstanding = [...(setup.outstanding ?? [])];
    this.#sinceLastPing = this.#outstanding.length;
  }

  get outstanding(): readonly number[] {
    return this.#outstanding;
  }

  get credit(): number {
    return this.window - this.#outstanding.length;
  }

  /** Every message before this number is acknowledged or was never sent. */
  get acknowledgedBefore(): number {
    return this.#outstanding[0] ?? this.cursor;
  }

  /** Asks about what an earlier daemon has sent, if that is much. */
  begin(): void {
    this.#askIfDue();
  }

  /** Needs credit. */
  send(message: ReceivedMessage): void {
    const dropped = message.seq - this.cursor;
    this.cursor = message.seq + 1;
    this.#outstanding.push(message.seq);
    if (dropped > 0) this.#port.overrun(dropped);
    this.#port.message(message);
    this.#sinceLastPing++;
    this.#askIfDue();
  }

  /**
   * Acknowledges everything up to and including `seq`. False: nothing so new was ever sent, not even
   * by an earlier daemon, which may have sent what is before `sentBefore`.
   */
  acknowledge(seq: number, sentBefore = 0): boolean {
    if (seq >= Math.max(this.cursor, sentBefore)) return false;
    if (seq >= this.cursor) {
      this.cursor = seq + 1;
      this.#outstanding = [];
      this.#acknowledged();
      return true;
    }
    const left = this.#outstanding.findIndex((sent) => sent > seq);
    const before = this.#outstanding.length;
    this.#outstanding = left < 0 ? [] : this.#outstanding.slice(left);
    if (this.#outstanding.length < before) this.#acknowledged();
    return true;
  }

  /** What it was sent counts as acknowledged, and what lies before `seq` was never for it. */
  skipTo(seq: number): void {
    this.cursor = Math.max(this.cursor, seq);
    this.#outstanding = [];
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
  }

  #askIfDue(): void {
    if (this.ack !== 'auto' || this.#isPinging || this.#sinceLastPing < this.#pingEach) return;
    this.#isPinging = true;
    this.#sinceLastPing = 0;
    const newest = this.cursor - 1;
    void this.#port.ping().then((hasRead) => {
      if (!this.#isClosed) this.#answered(hasRead, newest);
    });
  }

  #answered(hasRead: boolean, newest: number): void {
    this.#isPinging = false;
    if (hasRead) {
      this.#retryMs = firstRetryMs;
      this.acknowledge(newest);
      this.#askIfDue();
      return;
    }
    // Ask again, but ever more rarely: a client that does not read costs next to nothing.
    this.#sinceLastPing = this.#pingEach;
    this.#retry = setTimeout(() => this.#askIfDue(), this.#retryMs);
    this.#retry.unref();
    this.#retryMs = Math.min(2 * this.#retryMs, lastRetryMs);
  }

  /** Messages before this number were taken, and sent to each subscriber. */
  static neededFrom(subscribers: Iterable<Subscribed>, taken: number): number {
    let needed = taken;
    for (const { subscriber } of subscribers) needed = Math.min(needed, subscriber.cursor);
    return needed;
  }

  /**
   * Messages before this number may be forgotten: every subscriber has acknowledged them. One that
   * lags behind the fastest holds back those from `most` on, so that it cannot stop the others.
   */
  static releasableBefore(subscribers: Iterable<Subscribed>, taken: number, most: number): number {
    let slowest = taken;
    let fastest = 0;
    for (const { subscriber } of subscribers) {
      slowest = Math.min(slowest, subscriber.acknowledgedBefore);
      fastest = Math.max(fastest, subscriber.acknowledgedBefore);
    }
    return Math.max(slowest, Math.min(most, fastest));
  }
}
