// SPDX-License-Identifier: Apache-2.0
// One local address on a vdev with the peer it talks to: whose it is, what it sends, and where what
// it receives goes.

import type { EndpointStats, ReceivedMessage, StreamNote, StreamOptions } from '../addon/types.ts';
import { anyAddress } from '../rpmsg/addresses.ts';
import type { Channel } from '../rpmsg/channels.ts';
import { RpmsgdError } from '../util/errors.ts';
import type { Caller } from './callers.ts';
import type { LinkContext } from './context.ts';
import { Delivery } from './delivery.ts';
import type { Device } from './device.ts';
import type { SendOutcome } from './outbox.ts';
import { sendError } from './send-errors.ts';
import { endpointChange, type Kept, type Memory, noMemory } from './stored.ts';
import { EndpointStream, type StreamHolder } from './stream.ts';

/**
 * default: of a channel, shared. static: of the configuration, shared. persistent: outlives its
 * creator, shared. owned: obeys its owner and dies with the owner's bus connection.
 */
export type EndpointKind = 'default' | 'static' | 'persistent' | 'owned';

export interface EndpointSpec {
  readonly kind: EndpointKind;
  readonly name: string;
  /** anyAddress: the lowest free one from 1024 up. */
  readonly local: number;
  /** A peer address for good. Undefined: the channel's, or that of whoever sends first. */
  readonly peer?: number | undefined;
  readonly channel?: Channel | undefined;
  readonly owner?: Caller | undefined;
  readonly ownerUid?: number | undefined;
  /** Announce it to the remote's name service whenever the vdev comes up. */
  readonly announce?: boolean;
  readonly rxQueue?: number | undefined;
  /** Told once when it is closed, however that came. */
  readonly ownership?: { ended(): void } | undefined;
}

/** `undefined`: the message is in the ring and the remote has been told. */
export type SendDone = (error: RpmsgdError | undefined) => void;

export class Endpoint {
  readonly id: number;
  readonly device: Device;
  readonly spec: EndpointSpec;
  readonly local: number;
  readonly rxQueue: number;
  readonly delivery: Delivery;
  /** What is stored of it besides what it is. */
  memory = noMemory;
  /** Sends that wait for a buffer. */
  waitingSends = 0;
  /** Sends without a reply that failed. */
  unreported = 0;
  /** Nothing may be asked of it any more. */
  isClosed = false;
  readonly #context: LinkContext;
  /** Of whoever sent first, in this life of the remote. */
  #learnedPeer: number | undefined;
  #wasConnected = false;
  #lastPeer: number | undefined;
  #stream: EndpointStream | undefined;

  constructor(
    context: LinkContext,
    device: Device,
    spec: EndpointSpec,
    local: number,
    rxQueue: number,
    kept: Kept,
  ) {
    this.#context = context;
    this.device = device;
    this.spec = spec;
    this.id = kept.id;
    this.local = local;
    this.rxQueue = rxQueue;
    this.delivery = new Delivery(context.link, kept.id, rxQueue, kept);
    if (kept.memory !== undefined) this.#remember(kept.memory);
  }

  /** Where `Send` sends to, while there is such an address. */
  get peer(): number | undefined {
    const { channel, peer } = this.spec;
    if (channel !== undefined) return channel.remoteAddress;
    return peer ?? this.#learnedPeer;
  }

  get isConnected(): boolean {
    return this.peer !== undefined && this.device.isOpen;
  }

  /** The group to which its use is narrowed. */
  get group(): string | undefined {
    const { channel } = this.spec;
    return channel === undefined ? undefined : this.#context.rule(channel.name.display)?.group;
  }

  /** The first time, and after anything that bears on peer or connection. */
  refresh(): void {
    if (this.peer !== this.#lastPeer) {
      this.#lastPeer = this.peer;
      this.#stream?.peerChanged();
      this.#context.observer.endpointChanged(this, 'RemoteAddress');
    }
    if (this.isConnected !== this.#wasConnected) {
      this.#wasConnected = this.isConnected;
      this.#context.observer.endpointChanged(this, 'Connected');
    }
  }

  /** Of an earlier daemon, if that was in the same life of the remote. */
  #remember(memory: Memory): void {
    const { generation } = this.device.remote;
    this.memory = memory;
    if (memory.learned?.generation === generation) this.#learnedPeer = memory.learned.address;
  }

  /** It is stored; false: that is not possible now. */
  store(memory: Memory = this.memory): boolean {
    this.memory = memory;
    const { store } = this.#context;
    return store.commit(endpointChange(this), ...store.numbered(this.id));
  }

  /** The remote has been told of it, in this life. */
  announced(): void {
    const { generation } = this.device.remote;
    if (!this.isClosed) this.store({ ...this.memory, announcedIn: generation });
  }

  get isAnnounced(): boolean {
    return this.memory.announcedIn === this.device.remote.generation;
  }

  /** Before it is published: what it has now is no change. */
  settle(): void {
    this.#lastPeer = this.peer;
    this.#wasConnected = this.isConnected;
    this.#learnPeer();
  }

  /** The life of the remote is over in which it may have learned its peer's address. */
  forgetPeer(): void {
    this.#learnedPeer = undefined;
    this.memory = noMemory;
    this.refresh();
    this.#learnPeer();
  }

  /** Somebody has it, listens on it, or holds its stream. */
  get isUsed(): boolean {
    return this.spec.kind !== 'default' || this.delivery.hasUsers || this.#stream !== undefined;
  }

  get stream(): EndpointStream | undefined {
    return this.#stream;
  }

  /**
   * A stream is held from here on: what it takes over is busy for everyone else. The caller keeps its
   * socket, lets the link serve it from the number that is returned on, or ends it. Throws RpmsgdError
   * busy. `isOpen`: it is one of an earlier daemon's and the link serves it.
   */
  startStream(options: StreamOptions, holder: StreamHolder, isOpen = false) {
    if (this.#stream !== undefined) {
      throw this.#stream.busy('another stream is held on this endpoint; one at a time');
    }
    const stream = new EndpointStream(this.#context, this, options, holder, isOpen);
    this.#stream = stream;
    const busy = (why: string) => stream.busy(why);
    const firstSeq = options.reads ? this.delivery.startStream(busy) : 0;
    this.#context.observer.endpointChanged(this, 'Streaming');
    return { stream, firstSeq };
  }

  /** It is over, or never came to be served; then without `nextSeq`. */
  endStream(nextSeq?: number): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#stream = undefined;
    stream.ended();
    this.delivery.endStream(nextSeq);
    if (!this.isClosed) this.#context.observer.endpointChanged(this, 'Streaming');
    this.#learnPeer();
  }

  streamNote(note: StreamNote): void {
    if (note.peer !== undefined) this.#learn(note.peer, note.generation);
    this.#stream?.note(note);
  }

  /** Throws RpmsgdError busy while a stream has the direction from clients to the remote. */
  checkSendable(): void {
    if (this.#stream?.options.writes !== true) return;
    throw this.#stream.busy('a stream is held on this endpoint: messages are sent through it');
  }

  #learn(address: number, generation: number): void {
    const isOfThisLife = generation === this.device.remote.generation;
    if (this.peer !== undefined || this.spec.channel !== undefined || !isOfThisLife) return;
    this.#learnedPeer = address;
    this.store({ ...this.memory, learned: { address, generation } });
    this.refresh();
  }

  receive(message: ReceivedMessage): void {
    const isOfThisLife = message.generation === this.device.remote.generation;
    this.#learn(message.source, message.generation);
    this.delivery.push(message);
    if (!isOfThisLife) this.#learnPeer();
  }

  /**
   * Sends to `destination`, or to the peer. `shallWait`: for a buffer, as long as the limit says;
   * otherwise would_block. `done` may be called at once. `data` is copied before this returns.
   */
  send(
    data: Uint8Array,
    destination: number | undefined,
    caller: Caller,
    shallWait: boolean,
    done: SendDone,
  ): void {
    const { sendTimeoutMs } = this.#context.limits();
    this.#send(data, destination ?? this.peer, caller, shallWait ? sendTimeoutMs : 0, done);
  }

  #send(
    data: Uint8Array,
    target: number | undefined,
    caller: Caller,
    timeoutMs: number,
    done: SendDone,
  ): void {
    const refusal = this.#refusal(data.length, target, timeoutMs);
    if (refusal !== undefined || target === undefined) {
      done(refusal);
      return;
    }
    const finish = (outcome: SendOutcome) => {
      done(outcome === 'sent' ? undefined : sendError(outcome, this, timeoutMs));
    };
    const start = this.#context.outbox.send(this, target, data, caller, timeoutMs, finish);
    if (start === 'sent') done(undefined);
    else if (start !== 'queued') finish(start);
  }

  /** Why nothing can be sent there now. */
  #refusal(bytes: number, target: number | undefined, timeoutMs: number): RpmsgdError | undefined {
    if (!this.device.isOpen) return sendError(this.device.closedCode, this, timeoutMs);
    if (bytes > this.device.mtu) return this.device.tooLong(bytes);
    if (target === undefined) return sendError('not_connected', this, timeoutMs);
    return target === anyAddress ? sendError('no_such_address', this, timeoutMs) : undefined;
  }

  /**
   * Sends all to the peer, in order; yields how many from the front entered the ring. Rejects when
   * not even the first did, and with nothing sent when one of them is too long.
   */
  async sendBatch(messages: readonly Uint8Array[], caller: Caller): Promise<number> {
    for (const [index, { length }] of messages.entries()) {
      if (length > this.device.mtu) {
        throw this.device.tooLong(length, `message ${index} of the batch`);
      }
    }
    const outcomes = await Promise.all(this.#startBatch(messages, caller));
    const failed = outcomes.findIndex((outcome) => outcome !== undefined);
    if (failed === 0) throw outcomes[0];
    return failed < 0 ? messages.length : failed;
  }

  #startBatch(messages: readonly Uint8Array[], caller: Caller): Promise<RpmsgdError | undefined>[] {
    const started: Promise<RpmsgdError | undefined>[] = [];
    let hasFailed = false;
    const waitingBefore = this.waitingSends;
    const { sendTimeoutMs } = this.#context.limits();
    for (const message of messages) {
      // Later ones give up a little earlier: so those that enter are always the first ones.
      const timeoutMs = Math.max(1, sendTimeoutMs - (this.waitingSends - waitingBefore));
      started.push(
        new Promise((resolve) => {
          this.#send(message, this.peer, caller, timeoutMs, (error) => {
            hasFailed ||= error !== undefined;
            resolve(error);
          });
        }),
      );
      if (hasFailed) break;
    }
    return started;
  }

  stats(): EndpointStats {
    return this.#context.link.endpointStats(this.id);
  }

  /** Throws RpmsgdError not_owner unless the caller may use it. */
  checkOwner(sender: string): void {
    const { owner, name } = this.spec;
    if (owner === undefined || owner.sender === sender) return;
    throw new RpmsgdError(
      'not_owner',
      `endpoint "${name}" belongs to ${owner.sender}; Open or CreateEndpoint makes one of your own`,
    );
  }

  #learnPeer(): void {
    if (this.isClosed || this.peer !== undefined || this.spec.channel !== undefined) return;
    this.delivery.lookAhead();
  }
}
