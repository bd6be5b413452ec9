// SPDX-License-Identifier: Apache-2.0
// Calls that are not answered yet, counted by caller so that none can have the daemon to itself.

import type { MethodCall } from './method-call.ts';

export class CallsInFlight {
  readonly #maxPerSender: number;
  readonly #max: number;
  readonly #bySender = new Map<string, Set<MethodCall>>();
  #total = 0;

  constructor(maxPerSender: number, max: number) {
    this.#maxPerSender = maxPerSender;
    this.#max = max;
  }

  get total(): number {
    return this.#total;
  }

  /** Why one more call of `sender` must be refused; empty if it need not. */
  refusal(sender: string): string {
    if (this.#total === 0) return '';
    if (this.#total >= this.#max) return `${this.#max} calls are waiting already`;
    const waiting = this.#bySender.get(sender)?.size ?? 0;
    return waiting < this.#maxPerSender
      ? ''
      : `${waiting} of your calls are waiting already; at most ${this.#maxPerSender} may`;
  }

  add(call: MethodCall): void {
    let calls = this.#bySender.get(call.sender);
    if (calls === undefined) {
      calls = new Set();
      this.#bySender.set(call.sender, calls);
    }
    calls.add(call);
    this.#total++;
  }

  remove(call: MethodCall): void {
    const calls = this.#bySender.get(call.sender);
    if (calls === undefined || !calls.delete(call)) return;
    this.#total--;
    if (calls.size === 0) this.#bySender.delete(call.sender);
  }

  /** The sender is gone, and with it everyone who waits. */
  abandon(sender: string): void {
    for (const call of [...(this.#bySender.get(sender) ?? [])]) call.abandon();
  }

  abandonAll(): void {
    for (const sender of [...this.#bySender.keys()]) this.abandon(sender);
  }
}
