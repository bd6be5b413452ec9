// SPDX-License-Identifier: Apache-2.0
// A steady stream of messages of all sizes to an echo channel; every answer is compared.

import type { Bus } from '../../dbus/index.ts';
import { Endpoint } from '../endpoint.ts';
import type { Traffic } from './traffic.ts';

const tickMs = 20;
const messagesPerTick = 10;
const largest = 496;
const patienceMs = 2_000;

export class EchoStream {
  readonly #traffic: Traffic;
  readonly #expected: Buffer[] = [];
  #endpoint: Endpoint | undefined;
  #timer: NodeJS.Timeout | undefined;
  #count = 0;
  #allBack: () => void = () => {};
  #failed: (error: Error) => void = () => {};
  /** Rejects when an answer is wrong or a send fails. */
  readonly failure: Promise<never>;

  constructor(traffic: Traffic) {
    this.#traffic = traffic;
    this.failure = new Promise((_, reject) => {
      this.#failed = reject;
    });
    // Whoever runs this looks at it; until then it is nobody's unhandled rejection.
    this.failure.catch(() => {});
  }

  async start(bus: Bus, channel: string): Promise<void> {
    this.#endpoint = await Endpoint.open(bus, channel);
    await this.#endpoint.subscribe(({ data }) => this.#received(data));
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  /** Sends no more and waits for what is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#expected.length > 0) await this.#drained();
    await this.#endpoint?.close();
  }

  #drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${this.#expected.length} messages did not come back`));
      }, patienceMs);
      this.#allBack = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #tick(): void {
    // A remote that is slow or away is not flooded: what it owes bounds what it gets.
    if (this.#expected.length > messagesPerTick * 4) return;
    for (let i = 0; i < messagesPerTick; i++) void this.#sendOne();
  }

  async #sendOne(): Promise<void> {
    const data = Buffer.alloc(1 + (this.#count % largest), this.#count & 0xff);
    this.#count += 1;
    this.#expected.push(data);
    this.#traffic.sent(data.length);
    try {
      await this.#endpoint?.send(data);
    } catch (error) {
      this.#failed(error as Error);
    }
  }

  #received(data: Buffer): void {
    this.#traffic.received(data.length);
    const expected = this.#expected.shift();
    if (expected === undefined || !expected.equals(data)) {
      this.#failed(new Error(`an echo of ${data.length} bytes is not what was sent`));
    }
    if (this.#expected.length === 0) this.#allBack();
  }
}
