// SPDX-License-Identifier: Apache-2.0
// What a subscription begins with, and what is known of it while it lasts.

import type { Caller } from './callers.ts';
import type { AckMode, SubscriberPort } from './subscriber.ts';

export interface SubscribeRequest {
  readonly caller: Caller;
  readonly window: number;
  readonly ack: AckMode;
  readonly port: SubscriberPort;
  /** Called before the first message is sent. */
  readonly started: () => void;
  /** Called once when the subscription is over, however it ended. */
  readonly ended: () => void;
  /** Called when every message before a higher number than ever is acknowledged. */
  readonly acknowledged?: (before: number) => void;
  /** It goes on from an earlier daemon. */
  readonly resume?: SubscriptionResume;
}

export interface SubscriptionResume {
  /** The first message to send. */
  readonly cursor: number;
  /** Numbers before it that are sent and not acknowledged. */
  readonly outstanding: readonly number[];
}

/** What the store is to know of a subscription. */
export interface SubscriptionStatus {
  readonly caller: Caller;
  readonly cursor: number;
  readonly acknowledgedBefore: number;
  readonly outstanding: readonly number[];
}
