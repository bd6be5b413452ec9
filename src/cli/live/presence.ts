// SPDX-License-Identifier: Apache-2.0
// Whether the daemon is on the bus, followed without ever starting it: a call to a name that nobody
// owns would.

import type { Bus } from '../../dbus/index.ts';
import { serviceName } from '../objects.ts';

const busName = 'org.freedesktop.DBus';

export class Presence {
  #isThere = false;
  readonly #changed: (isThere: boolean) => void;

  private constructor(changed: (isThere: boolean) => void) {
    this.#changed = changed;
  }

  /** Tells of every change from when it resolves on; what was before, `isThere` says. */
  static async watch(bus: Bus, changed: (isThere: boolean) => void): Promise<Presence> {
    const presence = new Presence(changed);
    const rule = {
      sender: busName,
      interface: busName,
      member: 'NameOwnerChanged',
      args: { 0: serviceName },
    };
    await bus.subscribe(rule, ({ args }) => {
      if (args[1] !== '') presence.#set(false);
      if (args[2] !== '') presence.#set(true);
    });
    const [isThere] = await bus.callBus('NameHasOwner', 's', [serviceName]);
    presence.#isThere = isThere === true;
    return presence;
  }

  get isThere(): boolean {
    return this.#isThere;
  }

  #set(isThere: boolean): void {
    if (isThere === this.#isThere) return;
    this.#isThere = isThere;
    this.#changed(isThere);
  }
}

export const goneText = 'rpmsgd is gone: waiting for it to come back';
export const backText = 'rpmsgd is back';
