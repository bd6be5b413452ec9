// SPDX-License-Identifier: Apache-2.0
// Well-known names: becoming the owner of one, and following who owns another.

import { setTimeout as delay } from 'node:timers/promises';
import type { Bus } from './bus.ts';
import { BusError, ErrorName } from './errors.ts';

const DO_NOT_QUEUE = 4;
const PRIMARY_OWNER = 1;
const ALREADY_OWNER = 4;
const RETRY_EVERY_MS = 250;
const BUS_NAME = 'org.freedesktop.DBus';

export class BusNames {
  readonly #bus: Bus;
  readonly #owned = new Set<string>();

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  async acquire(name: string, retryMs: number): Promise<void> {
    for (let leftMs = retryMs; ; leftMs -= RETRY_EVERY_MS) {
      try {
        const [result] = await this.#bus.callBus('RequestName', 'su', [name, DO_NOT_QUEUE]);
        if (result !== PRIMARY_OWNER && result !== ALREADY_OWNER) throw await this.#taken(name);
        this.#owned.add(name);
        return;
      } catch (error) {
        const denied = error instanceof BusError && error.name === ErrorName.accessDenied;
        if (!denied || leftMs < RETRY_EVERY_MS) throw error;
        await delay(RETRY_EVERY_MS);
      }
    }
  }

  /** Whether a name that was ours has been lost. */
  lost(name: string): boolean {
    return this.#owned.delete(name);
  }

  /** Tells who owns `name`, now and whenever that changes; '' means nobody. */
  async watch(name: string, changed: (owner: string) => void): Promise<() => void> {
    const rule = {
      sender: BUS_NAME,
      path: '/org/freedesktop/DBus',
      interface: BUS_NAME,
      member: 'NameOwnerChanged',
      args: { 0: name },
    };
    const subscription = await this.#bus.subscribe(rule, ({ args }) => changed(String(args[2])));
    changed(await this.#owner(name));
    return () => subscription.close();
  }

  async #owner(name: string): Promise<string> {
    try {
      const [owner] = await this.#bus.callBus('GetNameOwner', 's', [name]);
      return String(owner);
    } catch (error) {
      if (error instanceof BusError && error.name === ErrorName.nameHasNoOwner) return '';
      throw error;
    }
  }

  async #taken(name: string): Promise<BusError> {
    const owner = await this.#owner(name).catch(() => '');
    const who = owner === '' ? 'somebody else' : owner;
    const text = `the bus name ${name} is owned by ${who}; stop that program first`;
    return new BusError(ErrorName.failed, text);
  }
}
