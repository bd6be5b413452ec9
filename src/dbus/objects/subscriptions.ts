// SPDX-License-Identifier: Apache-2.0
// Who is subscribed to what, over the life of this daemon and from that of the one before it.

import type { Caller, Callers } from '../../remote/callers.ts';
import type { LinkContext } from '../../remote/context.ts';
import type { Endpoint } from '../../remote/endpoint.ts';
import type { AckMode, SubscriberPort } from '../../remote/subscriber.ts';
import type { SubscriptionResume } from '../../remote/subscription.ts';
import type { UidQuota } from '../../remote/uid-quota.ts';
import { changes } from '../../state/object-store.ts';
import type { SubscriptionRecord } from '../../state/records.ts';
import { endpointPath } from './paths.ts';

export interface SubscriptionWish {
  readonly caller: Caller;
  readonly uid: number;
  readonly window: number;
  readonly ack: AckMode;
}

/** The way to one subscriber of the endpoint at `path`. */
export type MakePort = (path: string, sender: string) => SubscriberPort;

type Keyed = Pick<SubscriptionRecord, 'uid' | 'window' | 'ack'>;

export class Subscriptions {
  readonly #context: LinkContext;
  readonly #quota: UidQuota;
  readonly #port: MakePort;
  readonly #byEndpoint = new Map<Endpoint, Map<Caller, Keyed>>();
  /** With subscribers of an earlier daemon that have not heard of this one. */
  readonly #restored = new Set<Endpoint>();

  constructor(context: LinkContext, quota: UidQuota, port: MakePort) {
    this.#context = context;
    this.#quota = quota;
    this.#port = port;
  }

  /** `started` is called before the first message is sent. Throws RpmsgdError busy, quota_exceeded. */
  start(endpoint: Endpoint, path: string, wish: SubscriptionWish, started: () => void): void {
    const { subscriptionsPerUid } = this.#context.limits();
    this.#start(endpoint, path, wish, subscriptionsPerUid, started);
  }

  /** Goes on with one of an earlier daemon; nothing is sent before go(). */
  restore(record: SubscriptionRecord, callers: Callers): void {
    const { endpoint: id, sender, sent, acknowledgedBefore } = record;
    const endpoint = this.#context.deviceOf.get(id)?.endpoint(id);
    if (endpoint === undefined) {
      this.#context.store.commit(...changes.noSubscription(id, sender));
      return;
    }
    const wish = { ...record, caller: callers.expect(sender) };
    const resume = {
      cursor: Math.max(sent?.before ?? 0, acknowledgedBefore),
      outstanding: sent?.outstanding.filter((seq) => seq >= acknowledgedBefore) ?? [],
    };
    endpoint.delivery.hold();
    this.#restored.add(endpoint);
    const path = endpointPath(endpoint);
    this.#start(endpoint, path, wish, Number.POSITIVE_INFINITY, () => {}, resume);
  }

  /** From now on the subscribers of an earlier daemon are sent messages too. */
  go(): void {
    for (const endpoint of this.#restored) {
      // What the earlier one had sent holds until something else is sent.
      const keyed = this.#byEndpoint.get(endpoint) ?? new Map<Caller, Keyed>();
      for (const [caller, one] of keyed) this.#storeNew(endpoint, caller, one);
      endpoint.delivery.go();
    }
    this.#restored.clear();
  }

  /** What the next daemon need not send again: everything sent so far has left this process. */
  save(): void {
    for (const [endpoint, keyed] of this.#byEndpoint) {
      for (const { caller, cursor, acknowledgedBefore, outstanding } of endpoint.delivery
        .subscriptions) {
        const known = keyed.get(caller);
        if (known === undefined) continue;
        const sent = { before: cursor, outstanding: [...outstanding] };
        this.#store(endpoint, caller, { ...known, acknowledgedBefore, sent });
      }
    }
  }

  #start(
    endpoint: Endpoint,
    path: string,
    { caller, uid, window, ack }: SubscriptionWish,
    limit: number,
    started: () => void,
    resume?: SubscriptionResume,
  ): void {
    const giveBack = this.#quota.take(uid, limit);
    const { store } = this.#context;
    const keyed = { uid, window, ack };
    const begin = () => {
      this.#add(endpoint, caller, keyed);
      if (resume === undefined) this.#storeNew(endpoint, caller, keyed);
      started();
    };
    const ended = () => {
      giveBack();
      this.#remove(endpoint, caller);
    };
    const acknowledged = (before: number) =>
      store.commit(changes.acknowledged(endpoint.id, caller.sender, before));
    const port = this.#port(path, caller.sender);
    try {
      endpoint.delivery.subscribe({
        ...{ caller, window, ack, port, started: begin, ended, acknowledged },
        ...(resume === undefined ? {} : { resume }),
      });
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  #add(endpoint: Endpoint, caller: Caller, keyed: Keyed): void {
    const subscribed = this.#byEndpoint.get(endpoint) ?? new Map<Caller, Keyed>();
    this.#byEndpoint.set(endpoint, subscribed.set(caller, keyed));
  }

  /** Of what was sent, only what is acknowledged is known to have come. */
  #storeNew(endpoint: Endpoint, caller: Caller, keyed: Keyed): void {
    const status = endpoint.delivery.subscriptions.find((one) => one.caller === caller);
    const acknowledgedBefore = status?.acknowledgedBefore ?? 0;
    this.#store(endpoint, caller, { ...keyed, acknowledgedBefore });
  }

  #remove(endpoint: Endpoint, caller: Caller): void {
    const subscribed = this.#byEndpoint.get(endpoint);
    if (subscribed?.delete(caller) && subscribed.size === 0) this.#byEndpoint.delete(endpoint);
    this.#context.store.commit(...changes.noSubscription(endpoint.id, caller.sender));
  }

  #store(
    endpoint: Endpoint,
    { sender }: Caller,
    record: Omit<SubscriptionRecord, 'endpoint' | 'sender'>,
  ): void {
    const { id } = endpoint;
    const whole = { endpoint: id, sender, ...record };
    this.#context.store.commit(...changes.noSubscription(id, sender), changes.subscription(whole));
  }
}
