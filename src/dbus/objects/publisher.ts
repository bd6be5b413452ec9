// SPDX-License-Identifier: Apache-2.0
// Turns what happens to the models into objects, property changes and signals, in the order that
// dbus/*.xml promises. Silent until the whole tree is published.

import type { EndpointProperty, Observer, RemoteProperty } from '../../remote/context.ts';
import type { Device } from '../../remote/device.ts';
import type { Endpoint } from '../../remote/endpoint.ts';
import type { Remote } from '../../remote/remote.ts';
import type { Channel } from '../../rpmsg/channels.ts';
import type { ObjectTree } from '../index.ts';
import { channelInterface } from './channel.ts';
import type { Core } from './core.ts';
import { deviceInterface } from './device.ts';
import { endpointInterface } from './endpoint.ts';
import { managerInterface } from './manager.ts';
import { channelPath, devicePath, endpointPath, remotePath, rootPath } from './paths.ts';
import { remoteInterface } from './remote.ts';

/** What is used of the tree. */
export type Tree = Pick<
  ObjectTree,
  'publish' | 'withdraw' | 'changed' | 'emitSignal' | 'flush' | 'announce'
>;

export class Publisher implements Observer {
  readonly #tree: Tree;
  readonly #core: Core;
  #isPublished = false;

  constructor(tree: Tree, core: Core) {
    this.#tree = tree;
    this.#core = core;
  }

  /** Everything there is; from now on changes are told. */
  publish(remotes: Iterable<Remote>): void {
    this.#isPublished = true;
    const core = this.#core;
    this.#tree.publish(rootPath, [managerInterface.of({ core })]);
    for (const remote of remotes) {
      this.#tree.publish(remotePath(remote), [remoteInterface.of({ core, remote })]);
      for (const device of remote.devices) this.#publishDevice(device);
    }
    this.#tree.announce();
  }

  limitsChanged(): void {
    if (this.#isPublished) this.#tree.changed(rootPath, managerInterface.name, 'Limits');
  }

  flush(): void {
    if (this.#isPublished) this.#tree.flush();
  }

  remoteChanged(remote: Remote, ...properties: RemoteProperty[]): void {
    if (!this.#isPublished) return;
    this.#tree.changed(remotePath(remote), remoteInterface.name, ...properties);
  }

  resetNotified(remote: Remote, reason: string): void {
    this.#remoteSignal(remote, 'ResetNotified', reason);
  }

  ready(remote: Remote, evidence: string): void {
    this.#remoteSignal(remote, 'Ready', evidence);
  }

  faulted(remote: Remote, reason: string): void {
    this.#remoteSignal(remote, 'Faulted', reason);
  }

  deviceChanged(device: Device): void {
    if (this.#isPublished) this.#tree.changed(devicePath(device), deviceInterface.name, 'State');
  }

  channelAdded(device: Device, channel: Channel, endpoint: Endpoint): void {
    if (!this.#isPublished) return;
    const core = this.#core;
    const path = channelPath(device, channel);
    this.#tree.publish(path, [
      channelInterface.of({ core, device, channel }),
      endpointInterface.of({ core, endpoint, path }),
    ]);
  }

  channelRemoved(device: Device, channel: Channel): void {
    if (this.#isPublished) this.#tree.withdraw(channelPath(device, channel));
  }

  channelChanged(device: Device, channel: Channel): void {
    if (!this.#isPublished) return;
    this.#tree.changed(channelPath(device, channel), channelInterface.name, 'RemoteAddress');
  }

  ttyChanged(device: Device, channel: Channel): void {
    if (this.#isPublished)
      this.#tree.changed(channelPath(device, channel), channelInterface.name, 'Tty');
  }

  channelAnnounced(device: Device, channel: Channel, address: number): void {
    this.#channelSignal('ChannelAnnounced', device, channel, address);
  }

  channelWithdrawn(device: Device, channel: Channel, address: number): void {
    this.#channelSignal('ChannelWithdrawn', device, channel, address);
  }

  endpointAdded(endpoint: Endpoint): void {
    if (!this.#isPublished) return;
    const path = endpointPath(endpoint);
    this.#tree.publish(path, [endpointInterface.of({ core: this.#core, endpoint, path })]);
  }

  endpointRemoved(endpoint: Endpoint): void {
    if (this.#isPublished) this.#tree.withdraw(endpointPath(endpoint));
  }

  endpointChanged(endpoint: Endpoint, ...properties: EndpointProperty[]): void {
    if (!this.#isPublished) return;
    this.#tree.changed(endpointPath(endpoint), endpointInterface.name, ...properties);
  }

  #publishDevice(device: Device): void {
    const core = this.#core;
    this.#tree.publish(devicePath(device), [deviceInterface.of({ core, device })]);
    for (const channel of device.channels) {
      const endpoint = device.defaultEndpoint(channel);
      if (endpoint !== undefined) this.channelAdded(device, channel, endpoint);
    }
    for (const endpoint of device.endpoints) {
      if (endpoint.spec.kind !== 'default') this.endpointAdded(endpoint);
    }
  }

  #remoteSignal(remote: Remote, member: string, text: string): void {
    if (!this.#isPublished) return;
    const args = [remote.generation, text];
    this.#tree.emitSignal(remotePath(remote), remoteInterface.name, member, args);
  }

  #channelSignal(member: string, device: Device, channel: Channel, address: number): void {
    if (!this.#isPublished) return;
    const args = [channel.name.display, address, channelPath(device, channel)];
    this.#tree.emitSignal(devicePath(device), deviceInterface.name, member, args);
  }
}
