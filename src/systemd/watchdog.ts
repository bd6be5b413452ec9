// SPDX-License-Identifier: Apache-2.0
// Feeds the service manager's watchdog for as long as everything that must live is alive: the main
// loop (it runs this), the link thread, the bus.

import type { Notifier } from './notifier.ts';

export interface Vitals {
  /** Must have grown since the last look (LinkApi.heartbeat). */
  heartbeat(): number;
  /** Resolves when the bus has answered; rejects when it will not. */
  probeBus(): Promise<unknown>;
  /** Told once each time something is found not to live. */
  sick(what: string): void;
}

export class Watchdog {
  readonly #notifier: Notifier;
  readonly #vitals: Vitals;
  #timer: NodeJS.Timeout | undefined;
  #lastBeat = 0;
  #probing = false;

  constructor(notifier: Notifier, vitals: Vitals) {
    this.#notifier = notifier;
    this.#vitals = vitals;
  }

  start(): void {
    const intervalMs = this.#notifier.watchdogMs;
    if (intervalMs === undefined) return;
    this.#lastBeat = this.#vitals.heartbeat();
    this.#timer = setInterval(() => this.check(), Math.max(1, intervalMs / 2));
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** One look; the watchdog is fed once the bus has answered. */
  check(): void {
    const beat = this.#vitals.heartbeat();
    const moved = beat !== this.#lastBeat;
    this.#lastBeat = beat;
    if (!moved) this.#vitals.sick('the link thread does not turn');
    else if (this.#probing) this.#vitals.sick('the bus does not answer');
    else void this.#probe();
  }

  async #probe(): Promise<void> {
    this.#probing = true;
    try {
      await this.#vitals.probeBus();
      this.#notifier.keepAlive();
    } catch {
      this.#vitals.sick('the bus answers with an error');
    } finally {
      this.#probing = false;
    }
  }
}
