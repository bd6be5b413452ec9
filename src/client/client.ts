// SPDX-License-Identifier: Apache-2.0
// A connection to the bus, and the remotes behind it.

import { EventEmitter } from 'node:events';
import { BusSocket } from '../addon/bus-socket.ts';
import { type Bus, connectBus } from '../dbus/index.ts';
import type * as api from './api.d.ts';
import type { Channel } from './channel.ts';
import { Device } from './device.ts';
import { fetchObjects, type Objects, propertyOf, rpmsgError } from './names.ts';
import { Remote } from './remote.ts';

export async function connect({ bus = 'system' }: api.ConnectOptions = {}): Promise<Client> {
  return new Client(await connectBus(bus, { connectSocket: BusSocket.connect }));
}

export class Client extends EventEmitter implements api.Client {
  readonly #bus: Bus;
  readonly #remotes = new Map<string, Promise<Remote>>();

  constructor(bus: Bus) {
    super();
    this.#bus = bus;
    // As many as there are loops.
    bus.connection.setMaxListeners(0);
    bus.on('disconnect', (error) => this.emit('disconnect', error));
  }

  async remotes(): Promise<Remote[]> {
    const objects = await fetchObjects(this.#bus);
    const names = Object.keys(objects).flatMap((path) => nameAt(objects, path) ?? []);
    return await Promise.all(names.sort().map((name) => this.#remote(objects, name)));
  }

  async remote(name: string): Promise<Remote> {
    return await this.#remote(await fetchObjects(this.#bus), name);
  }

  async device(remote: string, index: number): Promise<Device> {
    const objects = await fetchObjects(this.#bus);
    const path = `${pathOf(objects, remote)}/vdev${index}`;
    if (objects[path] === undefined) {
      throw rpmsgError('NoSuchAddress', `${remote} has no vdev${index}`);
    }
    return new Device(this.#bus, path, remote, index);
  }

  async channel(
    remote: string,
    index: number,
    name: string,
    options: api.WaitOptions = {},
  ): Promise<Channel> {
    return await (await this.device(remote, index)).channel(name, options);
  }

  async close(): Promise<void> {
    await this.#bus.close();
  }

  async #remote(objects: Objects, name: string): Promise<Remote> {
    const known = this.#remotes.get(name);
    if (known !== undefined) return await known;
    const watched = Remote.watch(this.#bus, pathOf(objects, name), name);
    this.#remotes.set(name, watched);
    watched.catch(() => this.#remotes.delete(name));
    return await watched;
  }
}

function nameAt(objects: Objects, path: string): string | undefined {
  return propertyOf(objects, path, 'Remote', 'Name') as string | undefined;
}

function pathOf(objects: Objects, name: string): string {
  const found = Object.keys(objects).find((path) => nameAt(objects, path) === name);
  if (found !== undefined) return found;
  throw rpmsgError('NoSuchAddress', `there is no remote ${JSON.stringify(name)}`);
}
