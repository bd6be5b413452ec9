// SPDX-License-Identifier: Apache-2.0
// Where the messages of one endpoint go: to every subscriber if there is one, else to whoever calls
// Receive. The link keeps a message until release(); here are copies for those who lag behind.

import type { LinkApi } from '../addon/link-api.ts';
import type { ReceivedMessage } from '../addon/types.ts';
import { RpmsgdError } from '../util/errors.ts';
import type { Caller } from './callers.ts';
import { MessageLog } from './message-log.ts';
import {
  checkReceive,
  nothingLeaves,
  type ReceiveRequest,
  type Receiver,
  Receivers,
} from './receivers.ts';
import { countingOverruns, type Subscribed, Subscriber } from './subscriber.ts';
import type { SubscribeRequest, SubscriptionStatus } from './subscription.ts';

export type DeliveryLink = Pick<
  LinkApi,
  'grant' | 'sync' | 'release' | 'noteReleased' | 'endpointStats'
>;

// Most endpoints are never subscribed to or asked: collections of their own come with the first use.
const noReceivers = new Receivers(() => {});
const noSubscribers = new Map<Caller, Subscribed>();
const nothingLeaving = new Set<number>();

export class Delivery {
  /** Messages that did not reach a subscriber, each subscriber counted for itself. */
  overruns = 0;
  /** Messages that were dropped here, the oldest first, because nobody took them. */
  overflowed = 0;
  readonly #link: DeliveryLink;
  readonly #endpoint: number;
  readonly #rxQueue: number;
  #log: MessageLog;
  #subscribers = noSubscribers;
  #receivers = noReceivers;
  /** Messages before this number have gone to somebody. */
  #taken: number;
  #granted: number;
  #released: number;
  /** Messages asked for although nobody listens. */
  #lookAhead = 0;
  #isSettling = false;
  /** Messages before this number came to an earlier daemon. */
  readonly #keptBefore: number;
  /** Where each answer to Receive begins that has not left for the bus yet. */
  #leaving = nothingLeaving;
  /** Nothing is sent to subscribers, or sent any more. */
  #isHeld = false;
  /** Messages go into a stream, which this side never sees. */
  #streamBusy: ((why: string) => RpmsgdError) | undefined;
  /** What the link had dropped when the log began anew. */
  #droppedBefore = 0;

  /** `kept`: what an earlier daemon received and nobody has had is from firstSeq to before nextSeq. */
  constructor(
    link: DeliveryLink,
    endpoint: number,
    rxQueue: number,
    kept: { readonly firstSeq: number; readonly nextSeq: number },
  ) {
    const { firstSeq, nextSeq } = kept;
    this.#link = link;
    this.#endpoint = endpoint;
    this.#rxQueue = rxQueue;
    this.#log = new MessageLog(firstSeq, nextSeq);
    this.#taken = firstSeq;
    this.#granted = firstSeq;
    this.#released = firstSeq;
    this.#keptBefore = nextSeq;
  }

  /** Whether anybody waits for messages. */
  get hasDemand(): boolean {
    return this.#subscribers.size > 0 || this.#receivers.size > 0 || this.#lookAhead > 0;
  }

  get hasUsers(): boolean {
    return this.#subscribers.size > 0 || this.#receivers.size > 0;
  }

  get hasSubscribers(): boolean {
    return this.#subscribers.size > 0;
  }

  /**
   * Messages that wait for Receive or a subscriber's window, here and in the link: the most there can
   * be where an earlier daemon left some, none while a stream takes them.
   */
  get queued(): number {
    if (this.isStreaming) return 0;
    const { rxMessages, rxDropped } = this.#link.endpointStats(this.#endpoint);
    const needed = Subscriber.neededFrom(this.#subscribers.values(), this.#taken);
    // Dropped messages have had numbers too: those not yet met as gaps are ahead.
    const ahead = Number(rxDropped) - this.#droppedBefore - this.#log.missing;
    const inLink = this.#keptBefore + Number(rxMessages) - this.#log.next - Math.max(0, ahead);
    return Math.min(this.#log.countFrom(needed) + Math.max(0, inLink), this.#rxQueue);
  }

  isSubscribed(caller: Caller): boolean {
    return this.#subscribers.has(caller);
  }

  /** The next message is wanted even if nobody listens: its source is. */
  lookAhead(): void {
    this.#lookAhead = 1;
    this.#grant();
  }

  /**
   * Messages go into a stream until endStream(). Returns from which number on: subscribers keep what
   * they were sent, waiting calls end with the error that `busy` makes of a reason, as later ones do.
   */
  startStream(busy: (why: string) => RpmsgdError): number {
    this.#streamBusy = busy;
    this.#receivers.failAll(
      busy('a client has acquired the stream: messages go there from now on'),
    );
    return this.#taken;
  }

  /** Messages from this number on, or from where the stream would have begun, go to clients again. */
  endStream(nextSeq?: number): void {
    if (!this.isStreaming) return;
    this.#streamBusy = undefined;
    if (nextSeq !== undefined) this.#restartAt(nextSeq);
    if (this.#subscribers.size > 0) this.#pump();
    this.#grant(true);
  }

  #restartAt(seq: number): void {
    this.#log = new MessageLog(seq);
    this.#droppedBefore = Number(this.#link.endpointStats(this.#endpoint).rxDropped);
    this.#taken = seq;
    this.#released = seq;
    for (const { subscriber } of this.#subscribers.values()) subscriber.skipTo(seq);
  }

  get isStreaming(): boolean {
    return this.#streamBusy !== undefined;
  }

  push(message: ReceivedMessage): void {
    this.#log.push(message);
    this.#lookAhead = 0;
    // On its way as the stream began. Should that never be served, it is not to be lost.
    if (this.isStreaming) return;
    if (this.#subscribers.size > 0) this.#pump();
    else if (this.#receivers.size > 0) this.#settleSoon();
    if (this.#log.size <= this.#rxQueue) return;
    if (this.#subscribers.size === 0) this.overflowed += this.#log.size - this.#rxQueue;
    this.#log.keepNewest(this.#rxQueue);
  }

  synced(tag: number): void {
    this.#receivers.synced(tag);
    this.#settle();
  }

  /** Looks again whether messages were dropped that stand in the way of what was granted. */
  refresh(): void {
    if (this.hasDemand) this.#grant(true);
  }

  /** Throws RpmsgdError busy, quota_exceeded or invalid_argument; anything else comes through done. */
  receive(request: ReceiveRequest, waitingLimit: number): void {
    this.#checkReceive(request, waitingLimit);
    // No more than the queue holds can ever be there at once.
    const max = Math.min(request.max, this.#rxQueue);
    if (this.#receivers === noReceivers) {
      this.#receivers = new Receivers(() => this.#settleSoon());
    }
    const tag = this.#receivers.add({ ...request, max });
    this.#grant(true);
    this.#link.sync(this.#endpoint, tag);
  }

  /** Until go() subscribers are sent nothing; those of an earlier daemon must not hear us too soon. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Subscriptions and messages stay as they are for the next daemon; waiting calls do not. */
  stop(error: RpmsgdError): void {
    this.hold();
    this.#receivers.failAll(error);
  }

  go(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    for (const { subscriber } of this.#subscribers.values()) subscriber.begin();
    this.#pump();
  }

  get subscriptions(): readonly SubscriptionStatus[] {
    return [...this.#subscribers].map(([caller, { subscriber }]) => {
      const { cursor, acknowledgedBefore, outstanding } = subscriber;
      return { caller, cursor, acknowledgedBefore, outstanding };
    });
  }

  /** Throws RpmsgdError busy when the caller is subscribed already. */
  subscribe(request: SubscribeRequest): void {
    const { caller, window, ack, port, started, ended, resume } = request;
    if (this.#subscribers.has(caller)) {
      throw new RpmsgdError('busy', 'this client is subscribed already; Unsubscribe first');
    }
    const pingEach = Math.max(1, Math.min(window, this.#rxQueue) >> 1);
    const counted = countingOverruns(port, (dropped) => {
      this.overruns += dropped;
    });
    // A link that has lost count begins with numbers that an earlier daemon had used.
    const cursor = resume === undefined ? this.#taken : Math.min(resume.cursor, this.#keptBefore);
    const outstanding = resume?.outstanding.filter((seq) => seq < cursor);
    const setup = { window, ack, cursor, pingEach, outstanding };
    const subscriber = new Subscriber(setup, counted, () => {
      // Before the link forgets them: to the next daemon what is in neither place is lost.
      request.acknowledged?.(subscriber.acknowledgedBefore);
      this.#acknowledged();
    });
    this.#taken = Math.max(this.#taken, cursor);
    const held = { vanished: () => void this.unsubscribe(caller) };
    caller.onVanish(held);
    if (this.#subscribers === noSubscribers) this.#subscribers = new Map();
    this.#subscribers.set(caller, {
      subscriber,
      end: () => {
        caller.offVanish(held);
        subscriber.close();
        ended();
      },
    });
    started();
    this.#receivers.failAll(
      new RpmsgdError('busy', 'a client has subscribed: messages go to subscribers from now on'),
    );
    this.#pump();
  }

  /** False: it was not subscribed. */
  unsubscribe(caller: Caller): boolean {
    const entry = this.#subscribers.get(caller);
    if (entry === undefined) return false;
    this.#subscribers.delete(caller);
    entry.end();
    this.#settle();
    this.#release();
    return true;
  }

  /** Throws RpmsgdError invalid_argument: not subscribed, or nothing so new was sent. */
  acknowledge(caller: Caller, seq: number): void {
    const entry = this.#subscribers.get(caller);
    if (entry === undefined) {
      throw new RpmsgdError('invalid_argument', 'this client is not subscribed; Subscribe first');
    }
    if (!entry.subscriber.acknowledge(seq, this.#keptBefore)) {
      throw new RpmsgdError(
        'invalid_argument',
        `message ${seq} has not been sent to this client; the next one is ${entry.subscriber.cursor}`,
      );
    }
  }

  /** Ends all subscriptions, and waiting calls with `error`. */
  close(error: RpmsgdError): void {
    for (const { end } of [...this.#subscribers.values()]) end();
    this.#subscribers.clear();
    this.#receivers.failAll(error);
  }

  #checkReceive(request: ReceiveRequest, waitingLimit: number): void {
    checkReceive(request);
    if (this.#streamBusy !== undefined) {
      throw this.#streamBusy('messages of this endpoint go into a stream');
    }
    if (this.#subscribers.size > 0) {
      throw new RpmsgdError('busy', 'messages of this endpoint go to its subscribers');
    }
    this.#receivers.admit(request.caller, waitingLimit);
  }

  #acknowledged(): void {
    this.#pump();
    this.#release();
  }

  /** Sends to each subscriber what it has credit for. */
  #pump(): void {
    if (this.#isHeld || this.isStreaming) return;
    for (const { subscriber } of this.#subscribers.values()) {
      while (subscriber.credit > 0) {
        const message = this.#log.from(subscriber.cursor);
        if (message === undefined) break;
        subscriber.send(message);
        this.#taken = Math.max(this.#taken, subscriber.cursor);
      }
    }
    this.#forget();
    this.#grant();
  }

  /** After the whole batch of the link, so that one answer carries as much of it as it may. */
  #settleSoon(): void {
    if (this.#isSettling) return;
    this.#isSettling = true;
    queueMicrotask(() => {
      this.#isSettling = false;
      this.#settle();
    });
  }

  #settle(): void {
    if (this.#subscribers.size > 0 || this.isStreaming) return;
    const isReady = ({ isSynced, isExpired }: Receiver) =>
      isSynced && (isExpired || this.#log.countFrom(this.#taken) > 0);
    for (;;) {
      const receiver = this.#receivers.find(isReady);
      if (receiver === undefined) break;
      this.#receivers.remove(receiver);
      this.#answer(receiver.request);
    }
    this.#grant();
  }

  #answer({ max, done }: ReceiveRequest): void {
    const messages = this.#log.slice(this.#taken, max);
    const last = messages.at(-1);
    const first = this.#taken;
    if (last === undefined) {
      done({ messages, dropped: 0 }, nothingLeaves);
      return;
    }
    if (this.#leaving === nothingLeaving) this.#leaving = new Set();
    this.#leaving.add(first);
    this.#taken = last.seq + 1;
    const dropped = this.#taken - first - messages.length;
    const begin = () => {
      this.#leaving.delete(first);
      this.#link.noteReleased(this.#endpoint, this.#releasable);
    };
    done({ messages, dropped }, { begin, end: () => this.#release() });
    this.#forget();
  }

  #forget(): void {
    this.#log.forgetBefore(Subscriber.neededFrom(this.#subscribers.values(), this.#taken));
  }

  #release(): void {
    if (this.isStreaming) return;
    const upTo = this.#releasable;
    if (upTo <= this.#released) return;
    this.#released = upTo;
    this.#link.release(this.#endpoint, upTo);
  }

  get #releasable(): number {
    const most = this.#log.next - (this.#rxQueue >> 1);
    const before = Subscriber.releasableBefore(this.#subscribers.values(), this.#taken, most);
    return Math.min(before, ...this.#leaving);
  }

  /**
   * Asks the link for as many messages as somebody has a use for. Only `looksForGaps` asks it about
   * drops although enough was granted: that is too dear for every message.
   */
  #grant(looksForGaps = false): void {
    if (this.isStreaming) return;
    let wanted = Math.max(
      this.#lookAhead,
      this.#receivers.wanted - this.#log.countFrom(this.#taken),
    );
    for (const { subscriber } of this.#subscribers.values()) {
      // One window more than may be sent, so that no credit waits for the link.
      const { credit, window, cursor } = subscriber;
      wanted = Math.max(wanted, credit + window - this.#log.countFrom(cursor));
    }
    if (wanted <= 0) return;
    if (!looksForGaps && this.#log.next + wanted <= this.#granted) return;
    // Dropped messages have had numbers too: those not yet met as gaps lie ahead of what is wanted.
    const dropped = Number(this.#link.endpointStats(this.#endpoint).rxDropped);
    const ahead = dropped - this.#droppedBefore - this.#log.missing;
    // Nobody has counted those among what an earlier daemon left.
    const limit = Math.max(this.#log.next + wanted + Math.max(0, ahead), this.#keptBefore);
    if (limit <= this.#granted) return;
    this.#granted = limit;
    this.#link.grant(this.#endpoint, limit);
  }
}
