// SPDX-License-Identifier: Apache-2.0
// The effective configuration: what all files together say, checked, with every default filled in.
// A key of a file in snake_case (rpmsgd.toml) is the same word in camelCase here.

import type { RemoteSetup } from '../addon/types.ts';

/** Quotas and queue lengths. `[limits]`. Reloadable: applies to what is made or asked from then on. */
export interface Limits {
  /** Endpoints that clients of one uid own, all vdevs together. Default 1,024. */
  readonly endpointsPerUid: number;
  /** Channels a remote may have announced on one vdev at a time. Default 512. */
  readonly channelsPerDevice: number;
  /** Sends of one client that wait for a buffer. Default 16. */
  readonly sendsPerSender: number;
  /** Sends that wait for a buffer on one endpoint. Default 32. */
  readonly sendsPerEndpoint: number;
  /** How long a `Send` waits for a buffer. Default 1,000, at most 20,000. */
  readonly sendTimeoutMs: number;
  /** Messages an endpoint keeps for `Receive`, unless `rx_queue` said otherwise. Default 256. */
  readonly rxQueue: number;
  /** The most that the option `rx_queue` may ask for. Default 1,024. */
  readonly rxQueueMax: number;
  /** Signals that may be under way to a subscriber unacknowledged. Default 64. */
  readonly window: number;
  /** The most that the option `window` may ask for. Default 1,024. */
  readonly windowMax: number;
  /** Subscriptions that clients of one uid hold. Default 1,024. */
  readonly subscriptionsPerUid: number;
  /** Streams that clients of one uid hold. Default 256. */
  readonly streamsPerUid: number;
  /** Messages a stream holds for a client that does not read, unless `hold` said otherwise. Default 128. */
  readonly streamHold: number;
  /** Channels of one vdev that have a pseudo-terminal. Default 16. */
  readonly ttysPerDevice: number;
  /** Captures at a time, all clients together. Default 4. */
  readonly captures: number;
  /** Calls of `Receive` that wait, of one client, all endpoints together. Default 64. */
  readonly receivesPerSender: number;
  /** Method calls of one client in service at a time. Default 128. */
  readonly callsPerSender: number;
  /** Method calls in service at a time, all clients together. Default 4,096. */
  readonly calls: number;
}

/** `[link]`. Needs a restart. */
export interface LinkConfig {
  /** How long the link thread looks on before it sleeps. 0: not at all. */
  readonly busyPollUs: number;
  /** SCHED_FIFO priority of the link thread, 1..99; 0: ordinary scheduling. */
  readonly realtimePriority: number;
}

/** `[[remote.endpoint]]`: made at start, shared by whoever the bus policy lets in. Reloadable. */
export interface StaticEndpoint {
  readonly vdev: number;
  readonly name: string;
  readonly src: number;
  /** Absent: no peer address; only `SendTo` can send. */
  readonly dst: number | undefined;
}

/** `[[channel]]`: what holds for channels announced under this name, on any vdev. Reloadable. */
export interface ChannelRule {
  readonly name: string;
  /** Greet the remote by an empty message when the channel is announced. */
  readonly hello: boolean;
  /** It has a pseudo-terminal, which holds the stream of its default endpoint. */
  readonly tty: boolean;
  /** Only members of this group (and root) may use the channel. Absent: whoever the policy lets in. */
  readonly group: string | undefined;
}

/** `[[remote]]`. Its name, platform and memory need a restart; its endpoints are reloadable. */
export interface RemoteConfig {
  readonly name: string;
  readonly soc: string;
  /** SCFW partition of the M core; 'auto' finds it out. */
  readonly partition: number | 'auto';
  /** vdevs that stall their remote rather than drop. */
  readonly lossless: readonly number[];
  /** Bytes that were reserved, at least what the vdevs take. */
  readonly vringSize: number;
  readonly bufferSize: number;
  /** What the link is opened with, but for where its state is kept: no file says that. */
  readonly setup: Omit<RemoteSetup, 'stateFile'>;
  readonly endpoints: readonly StaticEndpoint[];
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface Config {
  /** The files that were read, lowest priority first. */
  readonly files: readonly string[];
  /** The directory of the device tree below them; undefined: none was read. */
  readonly deviceTree: string | undefined;
  readonly limits: Limits;
  readonly link: LinkConfig;
  readonly log: { readonly level: LogLevel };
  readonly remotes: readonly RemoteConfig[];
  readonly channels: readonly ChannelRule[];
}

/** `[limits]` when no file says anything. */
export const defaultLimits: Limits = {
  endpointsPerUid: 1024,
  channelsPerDevice: 512,
  sendsPerSender: 16,
  sendsPerEndpoint: 32,
  sendTimeoutMs: 1000,
  rxQueue: 256,
  rxQueueMax: 1024,
  window: 64,
  windowMax: 1024,
  subscriptionsPerUid: 1024,
  streamsPerUid: 256,
  streamHold: 128,
  ttysPerDevice: 16,
  captures: 4,
  receivesPerSender: 64,
  callsPerSender: 128,
  calls: 4096,
};
