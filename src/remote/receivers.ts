// SPDX-License-Identifier: Apache-2.0
// The calls of Receive that wait at one endpoint, first come, first served.

import type { ReceivedMessage } from '../addon/types.ts';
import { RpmsgdError } from '../util/errors.ts';
import type { Caller, Vanishing } from './callers.ts';

export interface Received {
  readonly messages: readonly ReceivedMessage[];
  /** Messages lost since the last one that was received before, or between these. */
  readonly dropped: number;
}

/** Called when an answer begins to leave this process, and when it has left. */
export interface Leave {
  readonly begin: () => void;
  readonly end: () => void;
}

export const nothingLeaves: Leave = { begin: () => {}, end: () => {} };

export interface ReceiveRequest {
  readonly caller: Caller;
  readonly max: number;
  readonly timeoutMs: number;
  /**
   * Called once; never when the caller leaves the bus before. The messages are kept for the next
   * daemon until they begin to leave, and by the link until they have left.
   */
  readonly done: (result: Received | RpmsgdError, leave: Leave) => void;
}

const longestReceiveMs = 20_000;

/** Throws RpmsgdError invalid_argument. */
export function checkReceive({ max, timeoutMs }: ReceiveRequest): void {
  if (max < 1) throw new RpmsgdError('invalid_argument', 'max is 0; ask for at least 1 message');
  if (timeoutMs > longestReceiveMs) {
    throw new RpmsgdError(
      'invalid_argument',
      `timeout_ms ${timeoutMs} is too long; at most ${longestReceiveMs}, then call again`,
    );
  }
}

export class Receiver implements Vanishing {
  readonly request: ReceiveRequest;
  /** Whether everything that was there when it was called has been handed over. */
  isSynced = false;
  isExpired: boolean;
  readonly #timer: NodeJS.Timeout | undefined;
  /** Its client has left the bus. */
  readonly vanished: () => void;

  constructor(request: ReceiveRequest, expired: () => void, vanished: () => void) {
    this.request = request;
    this.isExpired = request.timeoutMs === 0;
    request.caller.waitingReceives++;
    this.vanished = vanished;
    request.caller.onVanish(this);
    if (this.isExpired) return;
    this.#timer = setTimeout(() => {
      this.isExpired = true;
      expired();
    }, request.timeoutMs);
  }

  /** Stops waiting; whoever calls this answers. */
  close(): void {
    this.request.caller.waitingReceives--;
    clearTimeout(this.#timer);
    this.request.caller.offVanish(this);
  }
}

export class Receivers {
  readonly #waiting = new Map<Caller, Receiver>();
  readonly #ready: () => void;
  readonly #byTag = new Map<number, Receiver>();
  #tag = 0;

  /** `ready` is called when one has become expired or left. */
  constructor(ready: () => void) {
    this.#ready = ready;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** How many messages they would take, all together. */
  get wanted(): number {
    let wanted = 0;
    for (const { request } of this.#waiting.values()) wanted += request.max;
    return wanted;
  }

  /** Throws RpmsgdError busy or quota_exceeded unless one more of this client may wait. */
  admit(caller: Caller, waitingLimit: number): void {
    if (this.#waiting.has(caller)) {
      throw new RpmsgdError('busy', 'another Receive of this client waits on this endpoint');
    }
    if (caller.waitingReceives >= waitingLimit) {
      throw new RpmsgdError(
        'quota_exceeded',
        `${waitingLimit} calls of Receive wait already, which is limit receives_per_sender`,
      );
    }
  }

  /** Returns the tag to sync with. */
  add(request: ReceiveRequest): number {
    const receiver: Receiver = new Receiver(request, this.#ready, () => {
      this.remove(receiver);
      this.#ready();
    });
    this.#waiting.set(request.caller, receiver);
    this.#tag = (this.#tag + 1) & 0x7fffffff;
    this.#byTag.set(this.#tag, receiver);
    return this.#tag;
  }

  synced(tag: number): void {
    const receiver = this.#byTag.get(tag);
    this.#byTag.delete(tag);
    if (receiver !== undefined) receiver.isSynced = true;
  }

  /** The one that has waited longest among those that `accept`. */
  find(accept: (receiver: Receiver) => boolean): Receiver | undefined {
    for (const receiver of this.#waiting.values()) if (accept(receiver)) return receiver;
    return undefined;
  }

  remove(receiver: Receiver): void {
    if (!this.#waiting.delete(receiver.request.caller)) return;
    receiver.close();
  }

  failAll(error: RpmsgdError): void {
    for (const receiver of [...this.#waiting.values()]) {
      this.remove(receiver);
      receiver.request.done(error, nothingLeaves);
    }
  }
}
