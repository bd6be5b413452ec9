// SPDX-License-Identifier: Apache-2.0
// What the models of remotes, vdevs and endpoints share, and whom they tell what has changed. They
// know nothing of D-Bus.

import type { LinkApi } from '../addon/link-api.ts';
import type { ChannelRule, Limits } from '../config/types.ts';
import type { Channel } from '../rpmsg/channels.ts';
import type { ObjectStore } from '../state/object-store.ts';
import type { Device } from './device.ts';
import type { Endpoint } from './endpoint.ts';
import type { Outbox } from './outbox.ts';
import type { Remote } from './remote.ts';

/** The part of a pino logger that is used. */
export interface Logger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** Told after the fact, in the order in which things happened. */
export interface Observer {
  /** What was told so far goes out now: what changes next is told apart from it. */
  flush(): void;
  remoteChanged(remote: Remote, ...properties: RemoteProperty[]): void;
  resetNotified(remote: Remote, reason: string): void;
  ready(remote: Remote, evidence: string): void;
  faulted(remote: Remote, reason: string): void;
  deviceChanged(device: Device): void;
  channelAdded(device: Device, channel: Channel, endpoint: Endpoint): void;
  channelRemoved(device: Device, channel: Channel): void;
  channelChanged(device: Device, channel: Channel): void;
  channelAnnounced(device: Device, channel: Channel, address: number): void;
  channelWithdrawn(device: Device, channel: Channel, address: number): void;
  /** Of endpoints with an object of their own: all but the default ones of channels. */
  endpointAdded(endpoint: Endpoint): void;
  endpointRemoved(endpoint: Endpoint): void;
  endpointChanged(endpoint: Endpoint, ...properties: EndpointProperty[]): void;
  ttyChanged(device: Device, channel: Channel): void;
}

export type RemoteProperty =
  | 'State'
  | 'Generation'
  | 'ResetCount'
  | 'LastReset'
  | 'Partition'
  | 'LastError';
export type EndpointProperty = 'RemoteAddress' | 'Connected' | 'Streaming';

/** Where descriptors outlive this process: the service manager's store. */
export interface Descriptors {
  /** Resolves once a duplicate is kept; false: nobody keeps it. */
  store(name: string, fd: number): Promise<boolean>;
  remove(name: string): boolean;
  /** What an earlier process stored, each to be taken by whoever wants it. */
  inherited(): Map<string, number>;
}

/** Who gives channels their terminals. */
export interface TerminalHost {
  /** A default endpoint that may be wanted as one; nothing happens if it is not, or is one already. */
  offer(endpoint: Endpoint): void;
}

export interface LinkContext {
  readonly link: LinkApi;
  readonly outbox: Outbox;
  readonly observer: Observer;
  readonly log: Logger;
  /** Told of everything that is to outlive this process, before anybody is told. */
  readonly store: ObjectStore;
  readonly descriptors: Descriptors;
  readonly terminals: TerminalHost;
  limits(): Limits;
  /** The rule for channels of this (displayed) name: the configuration's, or what holds without one. */
  rule(name: string): ChannelRule | undefined;
  /** The vdev of each endpoint the link knows. */
  readonly deviceOf: Map<number, Device>;
  /** The next endpoint's number; none is ever given twice. */
  nextEndpointId(): number;
}
