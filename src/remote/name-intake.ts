// SPDX-License-Identifier: Apache-2.0
// The way of announcements from the link to the store: each has its effect once, over restarts of
// the daemon too, and the link keeps it until that is stored.

import type { ReceivedMessage } from '../addon/types.ts';
import type { Change } from '../state/change-log.ts';
import { changes, keys } from '../state/object-store.ts';
import type { LinkContext } from './context.ts';

/** Announcements taken before the link is told, unless their batch ends before. */
const mostUnreleased = 64;

export class NameIntake {
  readonly #context: LinkContext;
  readonly #remote: string;
  readonly #vdev: number;
  /** The endpoint at the name service's address. */
  readonly #endpoint: number;
  /** Announcements before this number have had their effect. */
  #before: number;
  /** What they changed and is not stored yet. */
  readonly #made: Change[] = [];
  /** Announcements of which the link was not told. */
  #unreleased = 0;

  constructor(context: LinkContext, remote: string, vdev: number, endpoint: number) {
    const known = context.store.found.names.get(keys.names(remote, vdev));
    this.#context = context;
    this.#remote = remote;
    this.#vdev = vdev;
    this.#endpoint = endpoint;
    this.#before = known?.endpoint === endpoint ? known.seq : 0;
  }

  /** `effect` is called unless it was, for this message, by an earlier daemon; it may not throw. */
  take({ seq }: ReceivedMessage, effect: () => readonly Change[]): void {
    if (seq >= this.#before) {
      this.#before = seq + 1;
      this.#made.push(...effect());
    }
    this.#unreleased++;
    if (this.#unreleased === mostUnreleased) this.release();
    else if (this.#unreleased === 1) queueMicrotask(() => this.release());
  }

  /** Stores what announcements changed, then lets the link forget them; later, if it cannot be. */
  release(): void {
    const { store, link } = this.#context;
    const made = this.#made.splice(0);
    this.#unreleased = 0;
    if (made.length > 0) made.push(this.#namesChange());
    if (store.commit(...made)) link.release(this.#endpoint, this.#before);
  }

  #namesChange(): Change {
    const record = { endpoint: this.#endpoint, seq: this.#before };
    return changes.names(this.#remote, this.#vdev, record);
  }
}
