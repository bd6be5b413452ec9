// SPDX-License-Identifier: Apache-2.0
// The client module `rpmsgd/client`: what programs in TypeScript and JavaScript use the daemon by.

import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';

export interface ConnectOptions {
  /** 'system' (default), 'session' or a D-Bus address. */
  readonly bus?: string;
}

/** Connects to a bus. The daemon need not be there yet. @throws Error naming the bus and what is wrong */
export function connect(options?: ConnectOptions): Promise<Client>;

/**
 * What a call of the daemon failed with. `name` is the D-Bus error: of `org.rpmsg.Error.` MessageTooLong,
 * WouldBlock, TimedOut, NotConnected, RemoteDown, RemoteReset, ShuttingDown, AddressInUse, NoSuchAddress,
 * QuotaExceeded, NotOwner, Busy, Faulted, NotSupported; or one of `org.freedesktop.DBus.Error.`.
 */
export class RpmsgError extends Error {
  constructor(name: string, message: string);
  readonly name: string;
}

/** A connection to the bus. Endpoints that were opened through it end with it. */
export interface Client extends EventEmitter {
  /** Every remote that is configured. */
  remotes(): Promise<Remote[]>;
  /** @throws RpmsgError NoSuchAddress if no remote has that name */
  remote(name: string): Promise<Remote>;
  /** @throws RpmsgError NoSuchAddress if there is no such vdev */
  device(remote: string, index: number): Promise<Device>;
  /** The channel of that name, once the remote has announced it. @throws as Device.channel */
  channel(remote: string, index: number, name: string, options?: WaitOptions): Promise<Channel>;
  /** Ends the connection. */
  close(): Promise<void>;

  /** The bus is gone. */
  on(event: 'disconnect', listener: (error: Error) => void): this;
}

export interface WaitOptions {
  /** How long to wait for what is not there yet; default 10,000. */
  readonly timeoutMs?: number;
}

export type RemoteState = 'offline' | 'waiting' | 'attached' | 'quiescing' | 'down' | 'faulted';

export interface ResetNotice {
  /** The life of the remote that ends. */
  readonly generation: number;
  readonly cause: string;
}

/** One M core. The same object for each call that names it. */
export interface Remote extends EventEmitter {
  readonly name: string;
  readonly path: string;
  state(): Promise<RemoteState>;
  /** Counts the lives of the remote. */
  generation(): Promise<number>;
  /** Starts a new life with fresh rings; for root and group rpmsg-admin. @throws RpmsgError */
  reinitialize(): Promise<void>;

  /** It is about to be reset, or was: nothing can be sent until it is ready. */
  on(event: 'reset', listener: (notice: ResetNotice) => void): this;
  /** It is ready for its next life; channels are announced after this. */
  on(event: 'ready', listener: (generation: number) => void): this;
  on(event: 'faulted', listener: (reason: string) => void): this;
}

export interface EndpointOptions {
  /** Messages it keeps until they are received. */
  readonly rxQueue?: number;
}

export interface CreateOptions extends EndpointOptions {
  readonly name: string;
  /** Local address; without it the daemon chooses one. */
  readonly local?: number;
  /** Address of the remote to send to; without it that of the first message is. */
  readonly remote?: number;
  /** Tell the remote of it, under its name. */
  readonly announce?: boolean;
}

/** One vdev of a remote. */
export interface Device {
  readonly path: string;
  readonly remote: string;
  readonly index: number;
  state(): Promise<'down' | 'offered' | 'up' | 'faulted'>;
  /** Counters; what they count is in org.rpmsg(5). */
  stats(): Promise<Readonly<Record<string, bigint>>>;
  /**
   * The channel of that name, once the remote has announced it; of several the first.
   * @throws RpmsgError TimedOut when it does not come in time
   */
  channel(name: string, options?: WaitOptions): Promise<Channel>;
  /** An endpoint of this program's that no channel has. @throws RpmsgError */
  createEndpoint(options: CreateOptions): Promise<Endpoint>;
}

/** A name that a remote has announced. It stays the same over resets of the remote. */
export interface Channel {
  readonly path: string;
  readonly name: string;
  /** Undefined while it is withdrawn. */
  remoteAddress(): Promise<number | undefined>;
  /** The path of its pseudo-terminal. Undefined where it has none. */
  tty(): Promise<string | undefined>;
  /** An endpoint of this program's own on the channel. @throws RpmsgError */
  open(options?: EndpointOptions): Promise<Endpoint>;
  /** The endpoint that everybody shares. */
  shared(): Promise<Endpoint>;
}

export interface Message {
  /** Continuous an endpoint: a gap is a loss. */
  readonly seq: bigint;
  /** Address of the remote that sent it. */
  readonly source: number;
  readonly generation: number;
  /** CLOCK_MONOTONIC when it was taken from the ring. */
  readonly timeNs: bigint;
  readonly data: Buffer;
}

export interface Received {
  readonly messages: readonly Message[];
  /** Messages lost since the last one that was received before. */
  readonly dropped: bigint;
}

export interface ReceiveOptions {
  /** Default 1. */
  readonly max?: number;
  /** How long to wait for the first, at most 20,000; default 1,000. */
  readonly timeoutMs?: number;
}

export interface MessagesOptions {
  /** Messages that may be on their way; without it the daemon's limit. */
  readonly window?: number;
}

export interface StreamOptions {
  /** Default 'both'. */
  readonly mode?: 'read' | 'write' | 'both';
  /** Received messages that the daemon keeps when this program does not read. */
  readonly hold?: number;
  /** 'header': each packet begins with the 16-byte RPMsg header; default 'payload'. */
  readonly framing?: 'payload' | 'header';
  /** Whether messages without bytes come, too. */
  readonly zeroLength?: boolean;
  /** What the remote had not got when it was reset; default 'drop'. */
  readonly onReset?: 'drop' | 'keep';
}

/** A Duplex in object mode: each chunk is a Buffer, and one message. */
export type EndpointStream = Duplex & { readonly maxPacketBytes: number };

export interface Refusal {
  readonly count: number;
  /** Of the last one. */
  readonly sizeBytes: number;
  readonly reason: string;
}

/** One local address on a vdev. It stays the same over resets of the remote and restarts of the daemon. */
export interface Endpoint extends EventEmitter {
  readonly path: string;
  /** Bytes that one message carries at most. */
  readonly mtu: number;
  /** Whether send() can work now. */
  readonly connected: boolean;
  /** Resolves when it is in the ring and the remote has been told. @throws RpmsgError */
  send(data: Uint8Array): Promise<void>;
  /** As send(), but never waits for a free buffer. @throws RpmsgError WouldBlock */
  trySend(data: Uint8Array): Promise<void>;
  /** To another address than the peer's. @throws RpmsgError */
  sendTo(data: Uint8Array, address: number): Promise<void>;
  /** In order; resolves with how many entered the ring: always the first ones. @throws RpmsgError */
  sendBatch(data: readonly Uint8Array[]): Promise<number>;
  /** What waits, or comes in time; no message is no error. @throws RpmsgError Busy if others listen */
  receive(options?: ReceiveOptions): Promise<Received>;
  /**
   * Each message as it comes, over resets and restarts, until the endpoint is closed or the loop is
   * left. A message is acknowledged when the next one is asked for: if the daemon is killed before,
   * it comes again with the same seq. What had come already when the loop is left is lost.
   * @throws RpmsgError from the first step on
   */
  messages(options?: MessagesOptions): AsyncGenerator<Message, void, void>;
  /** The way for much traffic: no D-Bus in between. @throws RpmsgError */
  stream(options?: StreamOptions): Promise<EndpointStream>;
  stats(): Promise<Readonly<Record<string, bigint>>>;
  /** Ends an endpoint of this program's; of a shared one only its events end. */
  close(): Promise<void>;
  /** Resolves when `connected` is true. @throws RpmsgError TimedOut */
  whenConnected(options?: WaitOptions): Promise<void>;

  /** `connected` changed: false from the moment a reset is announced, true when the remote is back. */
  on(event: 'connected', listener: (connected: boolean) => void): this;
  /** Messages that were lost, as they were not read in time. */
  on(event: 'overrun', listener: (dropped: bigint) => void): this;
  /** Packets of a stream that were not sent. */
  on(event: 'refused', listener: (refusal: Refusal) => void): this;
  /** It was closed, by whomever. */
  on(event: 'closed', listener: () => void): this;
}
