// SPDX-License-Identifier: Apache-2.0
// A channel: where endpoints come from.

import type { Bus } from '../dbus/index.ts';
import type * as api from './api.d.ts';
import { BusObject } from './bus-object.ts';
import { Endpoint } from './endpoint.ts';
import { noAddress, variants } from './names.ts';

export class Channel extends BusObject implements api.Channel {
  readonly name: string;

  constructor(bus: Bus, path: string, name: string) {
    super(bus, path, 'Channel');
    this.name = name;
  }

  async remoteAddress(): Promise<number | undefined> {
    const address = Number(await this.get('RemoteAddress'));
    return address === noAddress ? undefined : address;
  }

  async tty(): Promise<string | undefined> {
    const path = String(await this.get('Tty'));
    return path === '' ? undefined : path;
  }

  async open({ rxQueue }: api.EndpointOptions = {}): Promise<Endpoint> {
    const [path] = await this.call('Open', 'a{sv}', [variants({ rx_queue: ['u', rxQueue] })]);
    return await Endpoint.watch(this.bus, String(path), true);
  }

  async shared(): Promise<Endpoint> {
    return await Endpoint.watch(this.bus, this.path, false);
  }
}
