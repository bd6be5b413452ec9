// SPDX-License-Identifier: Apache-2.0
// The methods of one endpoint, as the verbs call them.

import { type Bus, type Subscription, Variant } from '../dbus/index.ts';
import { serviceName } from './objects.ts';
import { messageOf, type ReceivedMessage } from './payload/print.ts';

export const endpointInterface = `${serviceName}.Endpoint`;
/** As long as the daemon lets one call of Receive wait. */
export const longestReceiveMs = 20_000;

export class Endpoint {
  readonly path: string;
  readonly #bus: Bus;
  #subscription: Subscription | undefined;

  constructor(bus: Bus, path: string) {
    this.#bus = bus;
    this.path = path;
  }

  /** A private one on the channel at `channel`, which dies with the bus connection. */
  static async open(
    bus: Bus,
    channel: string,
    options: Readonly<Record<string, Variant>> = {},
  ): Promise<Endpoint> {
    const iface = `${serviceName}.Channel`;
    const [path] = await bus.call(serviceName, channel, iface, 'Open', 'a{sv}', [options]);
    return new Endpoint(bus, String(path));
  }

  async send(data: Buffer): Promise<void> {
    await this.call('Send', 'ay', [data]);
  }

  /** Up to `max` messages, after `timeoutMs` (at most 20,000) maybe none, and how many were lost. */
  async receive(max: number, timeoutMs: number) {
    const options = { timeoutMs: timeoutMs + 25_000 };
    const reply = await this.call('Receive', 'uu', [max, Math.floor(timeoutMs)], options);
    const [messages, dropped] = reply as [unknown[][], bigint];
    return { messages: messages.map(messageOf), dropped };
  }

  /** Every message from now on to `received`; acknowledged as `ack` says. Resolves with the window. */
  async subscribe(
    received: (message: ReceivedMessage) => void,
    ack: 'auto' | 'manual' = 'auto',
  ): Promise<number> {
    const rule = { sender: serviceName, path: this.path, interface: endpointInterface };
    const rules = { ...rule, member: 'MessageReceived' };
    this.#subscription = await this.#bus.subscribe(rules, ({ args }) => received(messageOf(args)));
    return await this.subscribeAgain(ack);
  }

  /** The subscription alone, where messages are listened for already. */
  async subscribeAgain(ack: 'auto' | 'manual'): Promise<number> {
    const [window] = await this.call('Subscribe', 'a{sv}', [{ ack: new Variant('s', ack) }]);
    return Number(window);
  }

  async acknowledge(seq: bigint): Promise<void> {
    await this.call('Ack', 't', [seq]);
  }

  /** Hears no more messages; the daemon is told nothing. */
  stopListening(): void {
    this.#subscription?.close();
    this.#subscription = undefined;
  }

  async close(): Promise<void> {
    this.stopListening();
    await this.call('Close');
  }

  call(
    member: string,
    signature = '',
    args: readonly unknown[] = [],
    options: { timeoutMs?: number } = {},
  ): Promise<unknown[]> {
    return this.#bus.call(
      serviceName,
      this.path,
      endpointInterface,
      member,
      signature,
      args,
      options,
    );
  }
}
