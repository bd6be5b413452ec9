// SPDX-License-Identifier: Apache-2.0
// Numbered messages to an echo and what becomes of each: it comes back, comes back altered, or is lost.

import { type Bus, BusError } from '../../dbus/index.ts';
import { Endpoint } from '../endpoint.ts';
import { serviceName } from '../objects.ts';
import { RoundTrips } from './statistics.ts';

export interface PingSettings {
  readonly sizeBytes: number;
  /** After which an answer is lost. */
  readonly timeoutMs: number;
}

/** What became of one message. */
export interface Outcome {
  readonly seq: number;
  /** Undefined: it came back. */
  readonly loss?: string;
  readonly src?: number;
  readonly timeMs?: number;
}

interface Pending {
  readonly data: Buffer;
  readonly sentMs: number;
  readonly timer: NodeJS.Timeout;
}

const numberBytes = 4;
/** Of an endpoint that a daemon without its former state does not know. */
const goneNames = [
  `${serviceName}.Error.NoSuchAddress`,
  'org.freedesktop.DBus.Error.UnknownObject',
];

export class Pinger {
  readonly trips = new RoundTrips();
  readonly #bus: Bus;
  readonly #channel: string;
  readonly #settings: PingSettings;
  readonly #happened: (outcome: Outcome) => void;
  readonly #pending = new Map<number, Pending>();
  #endpoint: Endpoint | undefined;
  readonly #whenIdle: (() => void)[] = [];

  constructor(
    bus: Bus,
    channel: string,
    settings: PingSettings,
    happened: (outcome: Outcome) => void,
  ) {
    this.#bus = bus;
    this.#channel = channel;
    this.#settings = settings;
    this.#happened = happened;
  }

  /** Opens its endpoint; its path. @throws BusError as Channel.Open */
  async open(): Promise<string> {
    this.#endpoint?.stopListening();
    this.#endpoint = await Endpoint.open(this.#bus, this.#channel);
    await this.#endpoint.subscribe(({ data, src }) => this.#heard(data, src));
    return this.#endpoint.path;
  }

  /** Sends one; what becomes of it is told when it is known. */
  ping(): void {
    const seq = this.trips.sent++;
    const data = this.#message(seq);
    const { timeoutMs } = this.#settings;
    const timer = setTimeout(() => this.#lose(seq, `no answer within ${timeoutMs} ms`), timeoutMs);
    // Whoever ends meanwhile does not wait for it.
    timer.unref();
    this.#pending.set(seq, { data, sentMs: performance.now(), timer });
    void this.#send(seq, data);
  }

  /** Resolves when what became of all of them is known. */
  idle(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Gives up on what is under way, for a reason that is told for each. */
  loseAll(why: string): void {
    for (const seq of [...this.#pending.keys()]) this.#lose(seq, why);
  }

  /** What is under way stays unanswered, and nothing more is told. */
  stop(): void {
    for (const { timer } of this.#pending.values()) clearTimeout(timer);
    this.#pending.clear();
    this.#endpoint?.stopListening();
  }

  /** A message that is not sent, as there is nobody to take it. */
  skip(why: string): void {
    this.#happened({ seq: this.trips.sent++, loss: why });
  }

  async #send(seq: number, data: Buffer): Promise<void> {
    try {
      await this.#endpoint?.send(data);
    } catch (error) {
      this.#lose(seq, `not sent: ${(error as Error).message}`);
      if (error instanceof BusError && goneNames.includes(error.name)) await this.#reopen();
    }
  }

  async #reopen(): Promise<void> {
    // The channel may not be there again yet: the next one tries anew.
    await this.open().catch(() => {});
  }

  /** Its number, as far as it has room for it, and then a pattern that depends on it. */
  #message(seq: number): Buffer {
    const data = Buffer.alloc(this.#settings.sizeBytes);
    for (let i = 0; i < data.length; i++) data[i] = (seq + i) & 0xff;
    if (data.length >= numberBytes) data.writeUInt32LE(seq >>> 0);
    return data;
  }

  #heard(data: Buffer, src: number): void {
    const nowMs = performance.now();
    const seq = this.#numberOf(data);
    const pending = seq === undefined ? undefined : this.#pending.get(seq);
    // Too late, or never asked for.
    if (seq === undefined || pending === undefined) return;
    if (!pending.data.equals(data)) {
      this.trips.altered++;
      this.#settle(seq, { seq, src, loss: `the answer of ${data.length} bytes is altered` });
      return;
    }
    const timeMs = nowMs - pending.sentMs;
    this.trips.add(timeMs);
    this.#settle(seq, { seq, src, timeMs });
  }

  /** What cannot be told by its number is the oldest: answers come in order. */
  #numberOf(data: Buffer): number | undefined {
    if (this.#settings.sizeBytes >= numberBytes && data.length >= numberBytes) {
      const seq = data.readUInt32LE();
      if (this.#pending.has(seq)) return seq;
    }
    if (this.#settings.sizeBytes >= numberBytes && data.length === this.#settings.sizeBytes) {
      return undefined;
    }
    const [oldest] = this.#pending.keys();
    return oldest;
  }

  #lose(seq: number, loss: string): void {
    if (this.#pending.has(seq)) this.#settle(seq, { seq, loss });
  }

  #settle(seq: number, outcome: Outcome): void {
    clearTimeout(this.#pending.get(seq)?.timer);
    this.#pending.delete(seq);
    this.#happened(outcome);
    if (this.#pending.size > 0) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}
