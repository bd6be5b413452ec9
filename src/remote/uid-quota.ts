// SPDX-License-Identifier: Apache-2.0
// Counts what the clients of one uid hold, however many connections they have.

import { RpmsgdError } from '../util/errors.ts';

export class UidQuota {
  readonly #what: string;
  readonly #key: string;
  readonly #used = new Map<number, number>();

  /** `what` in the plural; `key` is the limit's name in the configuration. */
  constructor(what: string, key: string) {
    this.#what = what;
    this.#key = key;
  }

  /** Counts one more, until remove(). Throws RpmsgdError quota_exceeded. */
  add(uid: number, limit: number): void {
    const used = this.#used.get(uid) ?? 0;
    if (used >= limit) {
      throw new RpmsgdError(
        'quota_exceeded',
        `uid ${uid} has ${used} ${this.#what}, and ${this.#key} is ${limit}; close some or raise it`,
      );
    }
    this.#used.set(uid, used + 1);
  }

  /** Returns how to give it back, which works once. Throws RpmsgdError quota_exceeded. */
  take(uid: number, limit: number): () => void {
    this.add(uid, limit);
    let isTaken = true;
    return () => {
      if (isTaken) this.remove(uid);
      isTaken = false;
    };
  }

  /** Once for each add(). */
  remove(uid: number): void {
    const used = (this.#used.get(uid) ?? 1) - 1;
    if (used > 0) this.#used.set(uid, used);
    else this.#used.delete(uid);
  }
}
