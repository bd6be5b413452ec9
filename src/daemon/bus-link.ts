// SPDX-License-Identifier: Apache-2.0
// The bus as the objects see it. They exist before there is a connection, since remotes are opened
// first: whoever is spoken to here comes to be with connect().

import type { Limits } from '../config/types.ts';
import {
  type Bus,
  type BusOptions,
  ClientRegistry,
  connectBus,
  ObjectTree,
} from '../dbus/index.ts';
import type { ServiceDeps } from '../dbus/objects/service.ts';

type Parts = Pick<ServiceDeps, 'tree' | 'clients' | 'bus'>;

interface Connected {
  readonly bus: Bus;
  readonly tree: ObjectTree;
  readonly clients: ClientRegistry;
}

export class BusLink {
  #connected: Connected | undefined;
  /** Of the bus: the same as long as it lives. */
  busId = '';

  /** What the objects are given; using it before connect() is a bug. */
  readonly parts: Parts = {
    tree: {
      publish: (...args) => this.#now.tree.publish(...args),
      withdraw: (...args) => this.#now.tree.withdraw(...args),
      changed: (...args) => this.#now.tree.changed(...args),
      emitSignal: (...args) => this.#now.tree.emitSignal(...args),
      flush: () => this.#now.tree.flush(),
      announce: () => this.#now.tree.announce(),
    },
    clients: {
      onVanish: (...args) => this.#now.clients.onVanish(...args),
      credentials: (...args) => this.#now.clients.credentials(...args),
      exists: (...args) => this.#now.clients.exists(...args),
    },
    bus: {
      call: (...args) => this.#now.bus.call(...args),
    },
  };

  get #now(): Connected {
    if (this.#connected === undefined) throw new Error('the bus is not connected');
    return this.#connected;
  }

  get bus(): Bus | undefined {
    return this.#connected?.bus;
  }

  /** Connects, and begins to follow who comes and goes. `lost` is told before anybody is gone. */
  async connect(
    address: string,
    root: string,
    limits: Pick<Limits, 'calls' | 'callsPerSender'>,
    options: BusOptions,
    lost: (error: Error) => void,
  ): Promise<Bus> {
    const bus = await connectBus(address, options);
    bus.on('disconnect', lost);
    const clients = new ClientRegistry(bus);
    const tree = new ObjectTree(bus, {
      root,
      clients,
      maxCalls: limits.calls,
      maxCallsPerSender: limits.callsPerSender,
      ...(options.logger === undefined ? {} : { logger: options.logger }),
    });
    this.#connected = { bus, tree, clients };
    const [, [busId]] = await Promise.all([clients.start(), bus.callBus('GetId')]);
    this.busId = String(busId);
    return bus;
  }
}
