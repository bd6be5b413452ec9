// SPDX-License-Identifier: Apache-2.0
// Messages as they come, each acknowledged once the next one is asked for.

import type { EventEmitter } from 'node:events';
import { type Bus, BusError, ErrorName, type Subscription } from '../dbus/index.ts';
import type * as api from './api.d.ts';
import { serviceName, variants } from './names.ts';

const endpointInterface = `${serviceName}.Endpoint`;

/** Of its five fields. */
export function messageOf(fields: readonly unknown[]): api.Message {
  const [seq, source, generation, timeNs, data] = fields;
  return { seq, source, generation, timeNs, data: Buffer.from(data as Buffer) } as api.Message;
}

export async function* messagesOf(
  bus: Bus,
  endpoint: EventEmitter & { readonly path: string },
  { window }: api.MessagesOptions,
): AsyncGenerator<api.Message, void, void> {
  const inbox = new Inbox(bus, endpoint);
  try {
    await inbox.subscribe(window).catch((error: Error) => {
      if (!inbox.isOver) throw error;
    });
    for (;;) {
      const message = await inbox.next();
      if (message === undefined) return;
      yield message;
    }
  } finally {
    await inbox.close();
  }
}

class Inbox {
  readonly #bus: Bus;
  readonly #endpoint: EventEmitter & { readonly path: string };
  readonly #messages: api.Message[] = [];
  readonly #onClosed = () => this.#end();
  readonly #onDisconnect = (error?: Error) => {
    const reason = error?.message ?? 'the connection was closed';
    this.#end(new BusError(ErrorName.disconnected, reason));
  };
  #subscription: Subscription | undefined;
  #isSubscribed = false;
  #window = 1;
  #taken: bigint | undefined;
  #unacknowledged = 0;
  #isOver = false;
  #failure: Error | undefined;
  #wake: () => void = () => {};

  constructor(bus: Bus, endpoint: EventEmitter & { readonly path: string }) {
    this.#bus = bus;
    this.#endpoint = endpoint;
  }

  /** Whether the endpoint was closed, or the bus is gone. */
  get isOver(): boolean {
    return this.#isOver;
  }

  async subscribe(window: number | undefined): Promise<void> {
    this.#endpoint.once('closed', this.#onClosed);
    this.#bus.connection.once('close', this.#onDisconnect);
    const { path } = this.#endpoint;
    const rule = { sender: serviceName, path, interface: endpointInterface };
    const arrived = ({ args }: { args: readonly unknown[] }) => {
      this.#messages.push(messageOf(args));
      this.#wake();
    };
    this.#subscription = await this.#bus.subscribe({ ...rule, member: 'MessageReceived' }, arrived);
    const options = variants({ ack: ['s', 'manual'], window: ['u', window] });
    const [granted] = await this.#call('Subscribe', 'a{sv}', [options]);
    this.#window = Number(granted);
    this.#isSubscribed = true;
  }

  /** Undefined at the end. */
  async next(): Promise<api.Message | undefined> {
    await this.#acknowledge();
    while (this.#messages.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const message = this.#messages.shift();
    this.#taken = message?.seq;
    if (message === undefined && this.#failure !== undefined) throw this.#failure;
    if (message !== undefined) this.#unacknowledged++;
    return message;
  }

  async close(): Promise<void> {
    this.#endpoint.off('closed', this.#onClosed);
    this.#bus.connection.off('close', this.#onDisconnect);
    this.#subscription?.close();
    if (!this.#isSubscribed || this.#isOver) return;
    // The loop was left: its last message was taken, and the endpoint may be gone by now.
    await this.#acknowledge(true).catch(() => {});
    await this.#call('Unsubscribe').catch(() => {});
  }

  /** What was taken; in a flood one call for half a window of it. */
  async #acknowledge(always = false): Promise<void> {
    const isDue = this.#unacknowledged * 2 >= this.#window || this.#messages.length === 0;
    const seq = this.#taken;
    if (seq === undefined || this.#unacknowledged === 0 || !(isDue || always)) return;
    this.#unacknowledged = 0;
    try {
      await this.#call('Ack', 't', [seq]);
    } catch (error) {
      // The end is told after the last message, and a daemon that starts again asks once more.
      if (!(error instanceof BusError) || !isPassing(error)) throw error;
    }
  }

  #end(failure?: Error): void {
    this.#isOver = true;
    this.#failure = failure;
    this.#wake();
  }

  #call(member: string, signature = '', args: readonly unknown[] = []): Promise<unknown[]> {
    const { path } = this.#endpoint;
    return this.#bus.call(serviceName, path, endpointInterface, member, signature, args);
  }
}

/** Of an endpoint that has just been closed, or a daemon that is being started again. */
function isPassing({ name }: BusError): boolean {
  const passing: readonly string[] = [
    `${serviceName}.Error.NoSuchAddress`,
    `${serviceName}.Error.ShuttingDown`,
    'org.freedesktop.DBus.Error.ServiceUnknown',
    ErrorName.noReply,
    ErrorName.nameHasNoOwner,
    ErrorName.unknownObject,
    ErrorName.disconnected,
  ];
  return passing.includes(name);
}
