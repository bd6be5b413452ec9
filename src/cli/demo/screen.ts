// SPDX-License-Identifier: Apache-2.0
// Lines for a person: seconds since the start, who, what. Colours only if the reader has them.

import type { Traffic } from './traffic.ts';

export class Screen {
  readonly #colour: boolean;
  readonly #print: (line: string) => void;
  readonly #startMs = performance.now();

  constructor(print: (line: string) => void, colour: boolean) {
    this.#print = print;
    this.#colour = colour;
  }

  state(who: string, text: string): void {
    this.#line(33, who, text);
  }

  dialogue(who: string, text: string): void {
    this.#line(36, who, text);
  }

  /** What went since the last time. */
  rates(who: string, now: Traffic, before: Traffic, seconds: number): void {
    const rate = (a: number, b: number) => Math.round((a - b) / seconds);
    const there = rate(now.sentMessages, before.sentMessages);
    const back = rate(now.receivedMessages, before.receivedMessages);
    this.#line(32, who, `${there} messages/s to the M core, ${back} messages/s back`);
  }

  total(traffic: Traffic): void {
    const { sentMessages, sentBytes, receivedMessages, receivedBytes } = traffic;
    this.#print(
      `${sentMessages} messages (${sentBytes} bytes) went to the M core, ` +
        `${receivedMessages} messages (${receivedBytes} bytes) came back`,
    );
  }

  #line(colour: number, who: string, text: string): void {
    const time = ((performance.now() - this.#startMs) / 1000).toFixed(1).padStart(6);
    const name = this.#colour ? `\u001b[${colour}m${who}\u001b[0m` : who;
    this.#print(`${time} s  ${name}  ${text}`);
  }
}
