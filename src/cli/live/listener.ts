// SPDX-License-Identifier: Apache-2.0
// A subscription whose messages are printed one after the other and then acknowledged, over resets of
// the remote and restarts of the daemon.

import { once } from 'node:events';
import { type Bus, BusError } from '../../dbus/index.ts';
import { Endpoint } from '../endpoint.ts';
import { CliStatus, RpmsgctlError } from '../errors.ts';
import { nameOf, type RemoteObject, rootPath, serviceName } from '../objects.ts';
import { printMessage, type ReceivedMessage } from '../payload/print.ts';
import type { CommandContext } from '../verb.ts';
import { type EndpointWatch, watchEndpoint } from './endpoint-watch.ts';
import { backText, goneText, Presence } from './presence.ts';
import { untilAbort } from './until.ts';

const busy = `${serviceName}.Error.Busy`;
const unknownObject = 'org.freedesktop.DBus.Error.UnknownObject';

export interface Listener {
  /** Printed so far. */
  readonly messages: number;
  readonly bytes: number;
  /** Resolves after as many messages as were wanted; rejects when the endpoint is closed. */
  readonly done: Promise<void>;
}

/** Subscribes; resolves when messages come. @throws BusError as Endpoint.Subscribe */
export async function listenTo(
  context: CommandContext,
  bus: Bus,
  object: RemoteObject,
  wanted: number,
): Promise<Listener> {
  const printer = new Printer(context, new Endpoint(bus, object.path), nameOf(object), wanted);
  const watch = await watchEndpoint(bus, object.path, (line) => context.complain(line));
  const presence = await Presence.watch(bus, (isThere) => {
    context.complain(isThere ? backText : goneText);
    if (isThere) resubscribe();
    else printer.pause();
  });
  const resubscribe = () => {
    printer.subscribeAgain().catch((error: unknown) => {
      if (presence.isThere) printer.fail(error);
    });
  };
  await printer.subscribe();
  // Where the daemon came back without its state, the channel may come only now.
  const manager = 'org.freedesktop.DBus.ObjectManager';
  const rule = { sender: serviceName, path: rootPath, interface: manager };
  await bus.subscribe({ ...rule, member: 'InterfacesAdded' }, ({ args }) => {
    if (args[0] === object.path) resubscribe();
  });
  failWhenClosed(printer, watch);
  return printer;
}

function failWhenClosed(printer: Printer, watch: EndpointWatch): void {
  void untilAbort(watch.closed).then(() => {
    printer.fail(new RpmsgctlError(CliStatus.failure, 'the endpoint was closed'));
  });
}

class Printer implements Listener {
  messages = 0;
  bytes = 0;
  readonly done: Promise<void>;
  readonly #context: CommandContext;
  readonly #endpoint: Endpoint;
  readonly #name: string;
  readonly #wanted: number;
  readonly #waiting: ReceivedMessage[] = [];
  #isPrinting = false;
  #isPaused = false;
  #window = 1;
  #unacknowledged = 0;
  #last: bigint | undefined;
  #finish: () => void = () => {};
  #fail: (error: unknown) => void = () => {};

  constructor(context: CommandContext, endpoint: Endpoint, name: string, wanted: number) {
    this.#context = context;
    this.#endpoint = endpoint;
    this.#name = name;
    this.#wanted = wanted;
    this.done = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    // Whoever runs this looks at it.
    this.done.catch(() => {});
  }

  async subscribe(): Promise<void> {
    this.#window = await this.#endpoint.subscribe((message) => this.#arrived(message), 'manual');
  }

  /** With a daemon that came back: it knows of us, or it does not, or has no such endpoint yet. */
  async subscribeAgain(): Promise<void> {
    this.#isPaused = false;
    try {
      this.#window = await this.#endpoint.subscribeAgain('manual');
      // Its numbers begin anew.
      this.#last = undefined;
    } catch (error) {
      const isExpected =
        error instanceof BusError && (error.name === busy || error.name === unknownObject);
      if (!isExpected) throw error;
    }
  }

  /** Nothing is acknowledged: a call would start the daemon that was stopped. */
  pause(): void {
    this.#isPaused = true;
  }

  fail(error: unknown): void {
    this.#fail(error);
  }

  #arrived(message: ReceivedMessage): void {
    // A daemon that was killed sends again what was not acknowledged.
    if (this.#last !== undefined && message.seq <= this.#last) return;
    this.#last = message.seq;
    this.#waiting.push(message);
    if (!this.#isPrinting) this.#print().catch((error: unknown) => this.#fail(error));
  }

  async #print(): Promise<void> {
    const { stdout } = this.#context;
    this.#isPrinting = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (this.messages >= this.#wanted) return;
      printMessage(this.#context, next, this.#name);
      this.messages++;
      this.bytes += next.data.length;
      if (stdout.writableNeedDrain) await once(stdout, 'drain');
      if (this.messages >= this.#wanted) this.#finish();
      this.#acknowledge(next.seq, this.#waiting.length === 0);
    }
    this.#isPrinting = false;
  }

  #acknowledge(seq: bigint, isLast: boolean): void {
    const isDue = ++this.#unacknowledged * 2 >= this.#window || isLast;
    if (!isDue || this.#isPaused) return;
    this.#unacknowledged = 0;
    // A daemon that goes meanwhile sends again what it did not hear of.
    this.#endpoint.acknowledge(seq).catch(() => {});
  }
}
