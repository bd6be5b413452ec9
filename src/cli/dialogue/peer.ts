// SPDX-License-Identifier: Apache-2.0
// A private endpoint on a channel as one side of a dialogue: what the remote said is there in order,
// and waited for one message at a time.

import type { Bus } from '../../dbus/index.ts';
import { Endpoint } from '../endpoint.ts';
import { CliStatus, RpmsgctlError } from '../errors.ts';

/** Told of every message. */
export interface Traffic {
  sent(bytes: number): void;
  received(bytes: number): void;
}

export class Peer {
  readonly endpoint: Endpoint;
  readonly #traffic: Traffic;
  readonly #heard: Buffer[] = [];
  #take: (() => void) | undefined;
  #failure: Error | undefined;

  private constructor(endpoint: Endpoint, traffic: Traffic) {
    this.endpoint = endpoint;
    this.#traffic = traffic;
  }

  static async open(
    bus: Bus,
    channel: string,
    traffic: Traffic = { sent: () => {}, received: () => {} },
  ): Promise<Peer> {
    const peer = new Peer(await Endpoint.open(bus, channel), traffic);
    await peer.endpoint.subscribe(({ data }) => {
      traffic.received(data.length);
      peer.#heard.push(data);
      peer.#take?.();
    });
    return peer;
  }

  async say(data: Buffer): Promise<void> {
    this.#traffic.sent(data.length);
    await this.endpoint.send(data);
  }

  /** The next message. @throws RpmsgctlError when none came in time; what `fail` was given */
  next(timeoutMs: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#take = undefined;
        const text = `no answer came within ${timeoutMs} ms`;
        reject(new RpmsgctlError(CliStatus.timedOut, text));
      }, timeoutMs);
      const take = () => {
        const data = this.#heard.shift();
        if (data === undefined && this.#failure === undefined) return;
        clearTimeout(timer);
        this.#take = undefined;
        if (data !== undefined) resolve(data);
        else reject(this.#failure);
      };
      this.#take = take;
      take();
    });
  }

  /** Ends the wait for what will not come. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#take?.();
  }

  async close(): Promise<void> {
    await this.endpoint.close();
  }
}
