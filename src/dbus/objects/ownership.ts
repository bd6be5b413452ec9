// SPDX-License-Identifier: Apache-2.0
// What a client and an endpoint that it owns are to each other: one object, since there are many of
// both.

import type { Caller } from '../../remote/callers.ts';
import type { Device } from '../../remote/device.ts';
import type { UidQuota } from '../../remote/uid-quota.ts';

export class Ownership {
  readonly #quota: UidQuota;
  readonly #uid: number;
  readonly #owner: Caller;
  readonly #device: Device;
  /** Of the endpoint, once it is open. */
  id: number | undefined;
  #isOver = false;

  /** Counts it against the uid. Throws RpmsgdError quota_exceeded. */
  constructor(quota: UidQuota, limit: number, owner: Caller, uid: number, device: Device) {
    quota.add(uid, limit);
    this.#quota = quota;
    this.#uid = uid;
    this.#owner = owner;
    this.#device = device;
    owner.onVanish(this);
  }

  /** The owner has left the bus, and its endpoint goes with it. */
  vanished(): void {
    const endpoint = this.id === undefined ? undefined : this.#device.endpoint(this.id);
    if (endpoint !== undefined) this.#device.close(endpoint);
  }

  /** The endpoint is closed, or could not be opened; or both. */
  ended(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#quota.remove(this.#uid);
    this.#owner.offVanish(this);
  }
}
