// SPDX-License-Identifier: Apache-2.0
// What every object of the daemon is to its client: calls, properties and signals at one path.

import { EventEmitter } from 'node:events';
import type { Bus, CallOptions, Subscription } from '../dbus/index.ts';
import { serviceName } from './names.ts';

export class BusObject extends EventEmitter {
  readonly path: string;
  protected readonly bus: Bus;
  readonly #iface: string;
  readonly #subscriptions: Subscription[] = [];

  /** `iface` without the prefix of ours. */
  constructor(bus: Bus, path: string, iface: string) {
    super();
    this.bus = bus;
    this.path = path;
    this.#iface = `${serviceName}.${iface}`;
  }

  protected call(
    member: string,
    signature = '',
    args: readonly unknown[] = [],
    options: CallOptions = {},
  ): Promise<unknown[]> {
    return this.bus.call(serviceName, this.path, this.#iface, member, signature, args, options);
  }

  protected get(property: string): Promise<unknown> {
    return this.bus.getProperty(serviceName, this.path, this.#iface, property);
  }

  /** A signal of this object, from when it resolves until stopHearing(). */
  protected async hear(
    member: string,
    handler: (args: readonly unknown[]) => void,
    { path = this.path, iface = this.#iface } = {},
  ): Promise<void> {
    const rule = { sender: serviceName, path, interface: iface, member };
    this.#subscriptions.push(await this.bus.subscribe(rule, ({ args }) => handler(args)));
  }

  protected async hearProperties(
    handler: (changed: Readonly<Record<string, { readonly value: unknown }>>) => void,
  ): Promise<void> {
    const iface = 'org.freedesktop.DBus.Properties';
    await this.hear(
      'PropertiesChanged',
      ([of, changed]) => {
        if (of === this.#iface) handler(changed as Record<string, { value: unknown }>);
      },
      { iface },
    );
  }

  protected stopHearing(): void {
    for (const subscription of this.#subscriptions.splice(0)) subscription.close();
  }
}
