// SPDX-License-Identifier: Apache-2.0
// A remote, and what happens to it.

import type { Bus } from '../dbus/index.ts';
import type * as api from './api.d.ts';
import { BusObject } from './bus-object.ts';

export class Remote extends BusObject implements api.Remote {
  readonly name: string;

  private constructor(bus: Bus, path: string, name: string) {
    super(bus, path, 'Remote');
    this.name = name;
  }

  static async watch(bus: Bus, path: string, name: string): Promise<Remote> {
    const remote = new Remote(bus, path, name);
    await remote.hear('ResetNotified', ([generation, cause]) => {
      remote.emit('reset', { generation, cause });
    });
    await remote.hear('Ready', ([generation]) => remote.emit('ready', generation));
    await remote.hear('Faulted', ([, reason]) => remote.emit('faulted', reason));
    return remote;
  }

  async state(): Promise<api.RemoteState> {
    return (await this.get('State')) as api.RemoteState;
  }

  async generation(): Promise<number> {
    return Number(await this.get('Generation'));
  }

  async reinitialize(): Promise<void> {
    await this.call('Reinitialize');
  }
}
