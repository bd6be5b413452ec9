// SPDX-License-Identifier: Apache-2.0
// A program's place on a bus: calls, signals, names, and the certainty to hear of its loss.

import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { BusOptions } from './bus-types.ts';
import { Connection } from './connection.ts';
import { BusError, ErrorName } from './errors.ts';
import { RepliesBus } from './message-bus.ts';
import { isMemberNameValid, Message, Variant } from './message-model.ts';
import type { OutgoingMessage } from './message-writer.ts';
import { BusNames } from './name-owner.ts';
import {
  isOwnSender,
  matchRule,
  type ReceivedSignal,
  SignalRouter,
  type SignalRule,
} from './signal-router.ts';
import { MessageType, type WireMessage } from './wire-message.ts';

/** Bytes of body a call to us may have unless its interface says more: 64 KiB. */
export const DEFAULT_BODY_BYTES = 64 * 1024;
const MAX_SIGNAL_BYTES = 1024 * 1024;
const MAX_REPLY_BYTES = 32 * 1024 * 1024;
const DEFAULT_CALL_TIMEOUT_MS = 25_000;
const CLOSE_TIMEOUT_MS = 1_000;
const BUS_NAME = 'org.freedesktop.DBus';
const BUS_PATH = '/org/freedesktop/DBus';

/** Serves the method calls that come in. Must not throw. */
export interface CallHandler {
  bodyLimit(message: WireMessage): number;
  call(message: WireMessage): void;
}

export interface CallOptions {
  /** Default 25,000, as every D-Bus client library has it. */
  readonly timeoutMs?: number | undefined;
  /** The reply may bring descriptors: each is a ReceivedFd in it, and the caller closes it. */
  readonly wantFds?: boolean | undefined;
}

export interface Subscription {
  close(): void;
}

/**
 * Events: 'disconnect' (error: Error) once, unless `close()` was called first; 'nameLost'
 * (name: string) when a name acquired is taken away.
 */
export class Bus extends EventEmitter {
  readonly #connection: Connection;
  readonly #router: SignalRouter;
  readonly #names: BusNames;
  readonly #matches = new Map<string, { count: number; added: Promise<unknown> }>();
  #messages: RepliesBus | undefined;
  #calls: CallHandler | undefined;
  #closing = false;

  /** Use `connectBus` or `connectBusStream`. */
  constructor(stream: Duplex, options: BusOptions) {
    super();
    this.#router = new SignalRouter(options.logger);
    this.#names = new BusNames(this);
    const handler = {
      bodyLimit: (message: WireMessage) => this.#bodyLimit(message),
      message: (message: WireMessage) => this.#received(message),
    };
    this.#connection = new Connection(stream, handler, options);
    this.#connection.on('close', (error: Error) => this.#lost(error));
  }

  /** Authenticates and says Hello. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#connection.once('close', reject);
      this.#connection.start(process.geteuid?.() ?? 0);
      this.#messages = new RepliesBus(this.#connection);
      this.#messages.once('connect', resolve);
    });
  }

  /** Our unique name. */
  get name(): string {
    return this.#messages?.name ?? '';
  }

  get connected(): boolean {
    return this.#connection.connected;
  }

  get canPassFds(): boolean {
    return this.#connection.canPassFds;
  }

  /** Bytes accepted for sending that the bus has not taken. */
  get outgoingBytes(): number {
    return this.#connection.outgoingBytes;
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** Hands the method calls that come in to `handler`. */
  serve(handler: CallHandler): void {
    this.#calls = handler;
  }

  /**
   * Calls a method; resolves with its out arguments.
   * @throws BusError the peer's error; NoReply when time is up; Disconnected
   * @throws WireError when `args` do not match `signature`
   */
  async call(
    destination: string,
    path: string,
    iface: string,
    member: string,
    signature = '',
    args: readonly unknown[] = [],
    options: CallOptions = {},
  ): Promise<unknown[]> {
    if (this.#messages === undefined) throw new BusError(ErrorName.disconnected, 'not connected');
    if (!isMemberNameValid(member)) throw new Error(`'${member}' is not a member name`);
    const fields = { destination, path, interface: iface, member, signature, body: args };
    const timeoutMs = options.timeoutMs ?? DEFAULT_CALL_TIMEOUT_MS;
    return await this.#messages.request(new Message(fields), timeoutMs, options.wantFds);
  }

  /** Calls a method of the bus itself. */
  callBus(member: string, signature = '', args: readonly unknown[] = []): Promise<unknown[]> {
    return this.call(BUS_NAME, BUS_PATH, BUS_NAME, member, signature, args);
  }

  /** Reads a property; its value, without the variant around it. */
  async getProperty(
    destination: string,
    path: string,
    iface: string,
    property: string,
  ): Promise<unknown> {
    const properties = 'org.freedesktop.DBus.Properties';
    const args = [iface, property];
    const [value] = await this.call(destination, path, properties, 'Get', 'ss', args);
    return value instanceof Variant ? value.value : value;
  }

  /** Sends a signal; to one receiver if `destination` is given. @throws WireError */
  emitSignal(
    path: string,
    iface: string,
    member: string,
    signature: string,
    args: readonly unknown[],
    destination?: string,
  ): void {
    const type = MessageType.signal;
    this.send({ type, path, interface: iface, member, signature, body: args, destination });
  }

  send(message: OutgoingMessage): void {
    this.#connection.send(message);
  }

  /** Hears signals that meet `rule`, from when the promise resolves until `close()`. */
  async subscribe(
    rule: SignalRule,
    handler: (signal: ReceivedSignal) => void,
  ): Promise<Subscription> {
    const entry = this.#router.add(rule, handler);
    const text = matchRule(rule);
    const { sender } = rule;
    let unwatch: (() => void) | undefined;
    const close = () => {
      this.#router.remove(entry);
      unwatch?.();
      void this.removeMatch(text);
    };
    try {
      await this.addMatch(text);
      if (sender !== undefined && !isOwnSender(sender)) {
        unwatch = await this.#names.watch(sender, (owner) => {
          entry.owner = owner;
        });
      }
    } catch (error) {
      close();
      throw error;
    }
    return { close };
  }

  /** Counted: the bus hears of a rule once, however often it is added here. */
  async addMatch(rule: string): Promise<void> {
    const known = this.#matches.get(rule);
    if (known !== undefined) known.count++;
    const match = known ?? { count: 1, added: this.callBus('AddMatch', 's', [rule]) };
    this.#matches.set(rule, match);
    try {
      await match.added;
    } catch (error) {
      this.#matches.delete(rule);
      throw error;
    }
  }

  async removeMatch(rule: string): Promise<void> {
    const match = this.#matches.get(rule);
    if (match === undefined || --match.count > 0) return;
    this.#matches.delete(rule);
    // The rule dies with the connection; a bus that is gone needs no telling.
    if (this.connected) await this.callBus('RemoveMatch', 's', [rule]).catch(() => undefined);
  }

  /**
   * Becomes the owner of a name, without queueing for it.
   * @param options.retryMs how long a refusal by policy is tried again, default 10,000: a package
   *   that has just been installed is refused until the bus has reloaded its policy
   * @throws BusError AccessDenied, or Failed naming who owns it
   */
  acquireName(name: string, options: { retryMs?: number } = {}): Promise<void> {
    return this.#names.acquire(name, options.retryMs ?? 10_000);
  }

  /** Whether the kernel has, before `timeoutMs` are over, all that was sent so far. */
  drained(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      this.#connection.onceWritten(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  /** Writes what is queued, then closes. Calls that wait reject with Disconnected. */
  async close(): Promise<void> {
    this.#closing = true;
    if (!this.connected) return;
    const closed = new Promise((resolve) => this.#connection.once('close', resolve));
    this.#connection.end();
    const timer = setTimeout(
      () => this.#connection.destroy(new Error('the bus did not close')),
      CLOSE_TIMEOUT_MS,
    );
    await closed;
    clearTimeout(timer);
  }

  /** Ends the connection at once, as if the bus had. */
  destroy(error: Error): void {
    this.#connection.destroy(error);
  }

  #bodyLimit(message: WireMessage): number {
    if (message.bodyLength <= DEFAULT_BODY_BYTES) return DEFAULT_BODY_BYTES;
    switch (message.type) {
      case MessageType.call:
        return this.#calls?.bodyLimit(message) ?? DEFAULT_BODY_BYTES;
      case MessageType.signal:
        return MAX_SIGNAL_BYTES;
      default:
        return this.#messages?.waitsFor(message.replySerial) ? MAX_REPLY_BYTES : 0;
    }
  }

  #received(message: WireMessage): void {
    switch (message.type) {
      case MessageType.call:
        if (this.#calls !== undefined) this.#calls.call(message);
        else this.#connection.sendError(message, ErrorName.unknownObject, 'no objects here');
        return;
      case MessageType.signal:
        if (message.member === 'NameLost' && message.sender === BUS_NAME) this.#nameLost(message);
        this.#router.route(message);
        return;
      default:
        this.#messages?.deliver(message);
    }
  }

  #nameLost(message: WireMessage): void {
    const [name] = message.args();
    if (this.#names.lost(String(name))) this.emit('nameLost', name);
  }

  #lost(error: Error): void {
    this.#messages?.settleAll(error);
    if (!this.#closing && this.name !== '') this.emit('disconnect', error);
  }
}
