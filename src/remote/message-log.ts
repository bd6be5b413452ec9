// SPDX-License-Identifier: Apache-2.0
// The messages of one endpoint that the link has handed over and somebody still needs, by their
// sequence numbers. A number that is missing is a message that was dropped.

import type { ReceivedMessage } from '../addon/types.ts';

export class MessageLog {
  #messages: ReceivedMessage[] = [];
  /** Where the oldest message is; what lies before is forgotten. */
  #head = 0;
  /** The number that the next message has if nothing is dropped. */
  #next: number;
  /** How many numbers from #countedFrom on have been found missing. */
  #missing = 0;
  readonly #countedFrom: number;

  /** Messages before `countedFrom` are of an earlier daemon, which has counted its drops itself. */
  constructor(nextSeq: number, countedFrom = nextSeq) {
    this.#next = nextSeq;
    this.#countedFrom = countedFrom;
  }

  get size(): number {
    return this.#messages.length - this.#head;
  }

  get next(): number {
    return this.#next;
  }

  get missing(): number {
    return this.#missing;
  }

  push(message: ReceivedMessage): void {
    this.#missing += Math.max(0, message.seq - Math.max(this.#next, this.#countedFrom));
    this.#next = message.seq + 1;
    this.#messages.push(message);
  }

  /** The oldest message with a number of at least `seq`. */
  from(seq: number): ReceivedMessage | undefined {
    return this.#messages[this.#indexOf(seq)];
  }

  countFrom(seq: number): number {
    return this.#messages.length - this.#indexOf(seq);
  }

  /** Up to `max` messages from `seq` on. */
  slice(seq: number, max: number): ReceivedMessage[] {
    const start = this.#indexOf(seq);
    return this.#messages.slice(start, start + max);
  }

  /** Forgets the messages before `seq`. */
  forgetBefore(seq: number): void {
    this.#head = this.#indexOf(seq);
    // Copying less often than each message, yet never keeping more garbage than messages.
    const isWorthIt = this.#head >= 64 && this.#head * 2 >= this.#messages.length;
    if (!isWorthIt && this.#head < this.#messages.length) return;
    this.#messages = this.#messages.slice(this.#head);
    this.#head = 0;
  }

  /** Forgets the oldest messages until no more than `count` are left. */
  keepNewest(count: number): void {
    const oldest = this.#messages[this.#messages.length - count];
    if (this.size > count && oldest !== undefined) this.forgetBefore(oldest.seq);
  }

  /** Of the first message that is not before `seq`; numbers only rise. */
  #indexOf(seq: number): number {
    let low = this.#head;
    let high = this.#messages.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const message = this.#messages[middle];
      if (message !== undefined && message.seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
