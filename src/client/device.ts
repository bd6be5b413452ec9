// SPDX-License-Identifier: Apache-2.0
// A vdev: its channels, as they come, and endpoints without one.

import type { Bus } from '../dbus/index.ts';
import type * as api from './api.d.ts';
import { BusObject } from './bus-object.ts';
import { Channel } from './channel.ts';
import { Endpoint } from './endpoint.ts';
import { fetchObjects, noAddress, propertyOf, variants } from './names.ts';
import { inTime } from './wait.ts';

export class Device extends BusObject implements api.Device {
  readonly remote: string;
  readonly index: number;

  constructor(bus: Bus, path: string, remote: string, index: number) {
    super(bus, path, 'Device');
    this.remote = remote;
    this.index = index;
  }

  async state(): Promise<'down' | 'offered' | 'up' | 'faulted'> {
    return (await this.get('State')) as 'down' | 'offered' | 'up' | 'faulted';
  }

  async stats(): Promise<Readonly<Record<string, bigint>>> {
    return (await this.get('Stats')) as Record<string, bigint>;
  }

  async channel(name: string, { timeoutMs = 10_000 }: api.WaitOptions = {}): Promise<Channel> {
    // Heard before it is looked for, so that it cannot come in between.
    const waiting = new Device(this.bus, this.path, this.remote, this.index);
    let announced: (path: string) => void = () => {};
    const coming = new Promise<string>((resolve) => {
      announced = resolve;
    });
    await waiting.hear('ChannelAnnounced', ([which, , path]) => {
      if (which === name) announced(String(path));
    });
    try {
      const there = await this.#announced(name);
      const text = `${this.remote} has not announced ${JSON.stringify(name)} on vdev${this.index}`;
      const path = there ?? (await inTime(coming, timeoutMs, text));
      return new Channel(this.bus, path, name);
    } finally {
      waiting.stopHearing();
    }
  }

  async createEndpoint(options: api.CreateOptions): Promise<Endpoint> {
    const { name, local = noAddress, remote = noAddress, announce, rxQueue } = options;
    const more = variants({ announce: ['b', announce], rx_queue: ['u', rxQueue] });
    const args = [name, local, remote, more];
    const [path] = await this.call('CreateEndpoint', 'suua{sv}', args);
    return await Endpoint.watch(this.bus, String(path), true);
  }

  /** The path of the channel, if it is announced. */
  async #announced(name: string): Promise<string | undefined> {
    const objects = await fetchObjects(this.bus);
    const paths = Object.keys(objects).filter((path) => path.startsWith(`${this.path}/`));
    return paths
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
      .find((path) => {
        const address = propertyOf(objects, path, 'Channel', 'RemoteAddress') ?? noAddress;
        return propertyOf(objects, path, 'Channel', 'Name') === name && address !== noAddress;
      });
  }
}
