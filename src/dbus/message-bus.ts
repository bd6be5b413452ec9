// SPDX-License-Identifier: Apache-2.0
// dbus-next's MessageBus on our connection: what it needs from a connection object, and what must be
// different in it (serials that wrap, replies that never come because the bus is gone).

import { EventEmitter } from 'node:events';
import type { Connection } from './connection.ts';
import { BusError, ErrorName, WireError } from './errors.ts';
import { DBusError, Message, MessageBus } from './message-model.ts';
import { argsWithFds } from './received-fds.ts';
import { MessageType, type WireMessage } from './wire-message.ts';

/** The connection as MessageBus sees it. */
class MessageBusLink extends EventEmitter {
  readonly connection: Connection;
  readonly stream: { end(): void; readonly writable: boolean };

  constructor(connection: Connection) {
    super();
    this.connection = connection;
    this.stream = {
      end: () => connection.end(),
      get writable() {
        return connection.connected;
      },
    };
  }

  message(message: Message): void {
    this.connection.send(message, message.serial ?? this.connection.nextSerial());
  }
}

export class RepliesBus extends MessageBus {
  readonly #link: MessageBusLink;
  /** Serials of the calls whose replies may bring descriptors. */
  readonly #wantFds = new Set<number>();

  constructor(connection: Connection) {
    const link = new MessageBusLink(connection);
    super(link);
    this.#link = link;
  }

  /** Skips serials of calls that are still waiting, as may happen once serials have wrapped. */
  override newSerial(): number {
    // Called by the base constructor, before our own fields exist.
    const { connection } = (this as unknown as { _connection: MessageBusLink })._connection;
    let serial = connection.nextSerial();
    while (this._methodReturnHandlers[serial] !== undefined) serial = connection.nextSerial();
    return serial;
  }

  waitsFor(serial: number): boolean {
    return this._methodReturnHandlers[serial] !== undefined;
  }

  /** Takes a reply or an error from the wire to the call that waits for it. */
  deliver(reply: WireMessage): void {
    if (!this.waitsFor(reply.replySerial)) return;
    if (this.name === null && reply.type === MessageType.error) {
      this.#link.connection.destroy(new Error(`the bus refused Hello: ${reply.errorName}`));
      return;
    }
    const getArgs = this.#wantFds.has(reply.replySerial) ? argsWithFds : argsOf;
    this.#link.emit('message', toMessage(reply, getArgs));
  }

  /**
   * Sends a call and waits for its reply. With `wantFds` the descriptors of its reply stand in it as
   * ReceivedFd, and whoever waits closes them.
   * @throws BusError the peer's error, NoReply after `timeoutMs`, or Disconnected
   */
  request(message: Message, timeoutMs: number, wantFds = false): Promise<unknown[]> {
    if (!this.#link.connection.connected) {
      return Promise.reject(new BusError(ErrorName.disconnected, 'the bus connection is lost'));
    }
    message.serial = this.newSerial();
    const { serial } = message;
    if (wantFds) this.#wantFds.add(serial);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        delete this._methodReturnHandlers[serial];
        const text = `no reply from ${message.destination} to ${message.member} in ${timeoutMs} ms`;
        reject(new BusError(ErrorName.noReply, text));
      }, timeoutMs);
      this.call(message)
        .then((reply) => resolve(reply?.body ?? []))
        .catch((error: unknown) => {
          delete this._methodReturnHandlers[serial];
          reject(toBusError(error));
        })
        .finally(() => {
          clearTimeout(timer);
          this.#wantFds.delete(serial);
        });
    });
  }

  /** Ends every call that waits. Hello's waiter would throw where nobody can catch it: dropped. */
  settleAll(reason: Error): void {
    const waiting = Object.entries(this._methodReturnHandlers);
    this._methodReturnHandlers = {};
    if (this.name === null) return;
    const text = `the bus connection is lost: ${reason.message}`;
    for (const [serial, handler] of waiting) {
      handler(newError(Number(serial), ErrorName.disconnected, text));
    }
  }
}

function newError(replySerial: number, errorName: string, text: string): Message {
  const type = MessageType.error;
  return new Message({ type, replySerial, errorName, signature: 's', body: [text] });
}

function argsOf(reply: WireMessage): unknown[] {
  return reply.args();
}

/** A reply that cannot be understood becomes the error that says so. */
function toMessage(reply: WireMessage, getArgs: (reply: WireMessage) => unknown[]): Message {
  if (reply.oversized) {
    return newError(reply.replySerial, ErrorName.limitsExceeded, 'the reply is too long');
  }
  try {
    const { type, serial, replySerial, sender, signature } = reply;
    const errorName = reply.errorName === '' ? undefined : reply.errorName;
    const body = getArgs(reply);
    return new Message({ type, serial, replySerial, sender, signature, errorName, body });
  } catch (error) {
    const text = error instanceof WireError ? error.message : 'the reply is not valid';
    return newError(reply.replySerial, ErrorName.inconsistentMessage, text);
  }
}

function toBusError(error: unknown): Error {
  if (error instanceof DBusError) return new BusError(error.type, String(error.text));
  return error instanceof Error ? error : new Error(String(error));
}
