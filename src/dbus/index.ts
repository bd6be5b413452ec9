// SPDX-License-Identifier: Apache-2.0
// The bus as the rest of the program sees it.

import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { CompiledXml, InterfaceHandlers } from './interface-definition.ts';

export { BusError, ErrorName, WireError } from './errors.ts';
export type * from './interface-definition.ts';

/** A value with its type: `new Variant('s', 'text')`. */
export declare class Variant<T = unknown> {
  constructor(signature: string, value: T);
  signature: string;
  value: T;
}

export interface BusLogger {
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** Passes `bytes` and `fds` in one sendmsg(2); yields the bytes taken, or -errno. */
export type SendFds = (socketFd: number, bytes: Buffer, fds: readonly number[]) => number;

export interface BusOptions {
  /** For connect, authentication and Hello together. Default 10,000. */
  readonly timeoutMs?: number;
  readonly sendFds?: SendFds;
  readonly logger?: BusLogger;
}

export interface SignalRule {
  readonly sender?: string;
  readonly path?: string;
  readonly pathNamespace?: string;
  readonly interface?: string;
  readonly member?: string;
}

export interface ReceivedSignal {
  readonly sender: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly args: readonly unknown[];
}

export interface Subscription {
  close(): void;
}

/**
 * A connection to a bus. Events: 'disconnect' (error: Error) once, however it ended, `close()`
 * excepted; 'nameLost' (name: string).
 */
export declare class Bus extends EventEmitter {
  /** Our unique name. */
  readonly name: string;
  readonly connected: boolean;
  readonly outgoingBytes: number;
  readonly canPassFds: boolean;
  call(
    destination: string,
    path: string,
    iface: string,
    member: string,
    signature?: string,
    args?: readonly unknown[],
    options?: { timeoutMs?: number },
  ): Promise<unknown[]>;
  getProperty(destination: string, path: string, iface: string, property: string): Promise<unknown>;
  subscribe(rule: SignalRule, handler: (signal: ReceivedSignal) => void): Promise<Subscription>;
  emitSignal(
    path: string,
    iface: string,
    member: string,
    signature: string,
    args: readonly unknown[],
    destination?: string,
  ): void;
  addMatch(rule: string): Promise<void>;
  removeMatch(rule: string): Promise<void>;
  acquireName(name: string, options?: { retryMs?: number }): Promise<void>;
  /** Writes what is queued, then closes; pending calls reject with Disconnected. */
  close(): Promise<void>;
}

/** `address`: 'system', 'session' or a D-Bus address. */
export declare function connectBus(address: string, options?: BusOptions): Promise<Bus>;
export declare function connectBusStream(stream: Duplex, options?: BusOptions): Promise<Bus>;

export interface Credentials {
  readonly uid: number;
  readonly gids: readonly number[];
  readonly pid?: number;
}

/** Who is on the bus: deaths and credentials of clients. `await start()` before acquireName. */
export declare class ClientRegistry {
  constructor(bus: Bus);
  start(): Promise<void>;
  /** Calls back once when `sender` (a unique name) leaves the bus, or at once if we lost the bus. */
  onVanish(sender: string, callback: () => void): () => void;
  /** Rejects with BusError NameHasNoOwner when the client is gone. */
  credentials(sender: string): Promise<Credentials>;
}

/** One call being served. */
export declare class MethodCall {
  readonly sender: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly serial: number;
  readonly noReply: boolean;
  /** Answered, refused, or the caller is gone: nothing more will be sent. */
  readonly settled: boolean;
  replyEmpty(): void;
  reply(...out: unknown[]): void;
  fail(error: unknown): void;
  /** Runs once if the caller leaves the bus before the call is answered. */
  onVanish(callback: () => void): void;
}

/** One interface of one object: made by `Implementation.of(target)`. */
export interface ExportedInterface {
  readonly implementation: Implementation<never>;
  readonly target: unknown;
}

/** An interface and its code, for any number of objects. */
export declare class Implementation<T> {
  readonly name: string;
  of(target: T): ExportedInterface;
}

/** Throws when the handlers and the XML differ in any method or property. */
export declare function defineInterface<T>(
  definition: CompiledXml,
  handlers: InterfaceHandlers<T>,
): Implementation<T>;

export interface ObjectTreeOptions {
  /** Where the ObjectManager is: '/org/rpmsg'. */
  readonly root: string;
  readonly clients: ClientRegistry;
  readonly logger?: BusLogger;
  readonly maxCallsPerSender?: number;
  readonly maxCalls?: number;
}

export declare class ObjectTree {
  constructor(bus: Bus, options: ObjectTreeOptions);
  /** From now on publish, withdraw and changed are announced by signals. */
  announce(): void;
  publish(path: string, interfaces: readonly ExportedInterface[]): void;
  withdraw(path: string): void;
  has(path: string): boolean;
  /** Coalesced per object until the microtask's end or any other message, whichever is first. */
  changed(path: string, iface: string, ...properties: string[]): void;
  emitSignal(
    path: string,
    iface: string,
    member: string,
    args: readonly unknown[],
    destination?: string,
  ): void;
}
