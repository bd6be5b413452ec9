// SPDX-License-Identifier: Apache-2.0
// The objects on the bus as the next daemon is to find them. Every change is written before anything
// that follows from it leaves this process.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootId } from './boot.ts';
import { type Change, ChangeLog, type ChangeLogger } from './change-log.ts';
import {
  type ChannelRecord,
  checkRecord,
  type EndpointRecord,
  kindOf,
  type NamesRecord,
  type RemoteRecord,
  type StreamRecord,
  type SubscriptionRecord,
} from './records.ts';

/** In the runtime directory. */
export const objectsFile = 'objects.jsonl';
const formatVersion = 1;

interface Header {
  readonly rpmsgd: 'objects';
  readonly version: number;
  /** Empty where the kernel does not tell: a sandbox may hide it, and /run ends with its boot anyway. */
  readonly boot: string;
}

function accepts(found: Partial<Header>, boot: string): boolean {
  const isOfBoot = found.boot === boot || found.boot === '' || boot === '';
  return found.rpmsgd === 'objects' && found.version === formatVersion && isOfBoot;
}

/** What an earlier daemon left behind. */
export class StoredObjects {
  busId = '';
  lastNumber = 0;
  readonly remotes = new Map<string, RemoteRecord>();
  readonly names = new Map<string, NamesRecord>();
  readonly channels: ChannelRecord[] = [];
  readonly endpoints: EndpointRecord[] = [];
  readonly subscriptions: SubscriptionRecord[] = [];
  readonly streams: StreamRecord[] = [];

  constructor(entries: Iterable<[key: string, value: unknown]>) {
    const acknowledged = new Map<string, number>();
    for (const [key, value] of entries) {
      if (kindOf(key) === 'acknowledged') acknowledged.set(key, value as number);
      else this.#add(key, value);
    }
    for (const [index, record] of this.subscriptions.entries()) {
      const newer = acknowledged.get(keys.acknowledged(record.endpoint, record.sender)) ?? 0;
      const acknowledgedBefore = Math.max(record.acknowledgedBefore, newer);
      this.subscriptions[index] = { ...record, acknowledgedBefore };
    }
  }

  #add(key: string, value: unknown): void {
    switch (kindOf(key)) {
      case 'bus':
        this.busId = value as string;
        break;
      case 'numbers':
        this.lastNumber = value as number;
        break;
      case 'remote':
        this.remotes.set(key.slice('remote/'.length), value as RemoteRecord);
        break;
      case 'names':
        this.names.set(key, value as NamesRecord);
        break;
      case 'channel':
        this.channels.push(value as ChannelRecord);
        break;
      case 'endpoint':
        this.endpoints.push(value as EndpointRecord);
        break;
      case 'subscription':
        this.subscriptions.push(value as SubscriptionRecord);
        break;
      case 'stream':
        this.streams.push(value as StreamRecord);
        break;
      default:
        break;
    }
  }
}

type ChannelKey = Pick<ChannelRecord, 'remote' | 'vdev' | 'raw' | 'ordinal'>;

export const keys = {
  remote: (name: string) => `remote/${name}`,
  names: (remote: string, vdev: number) => `names/${vdev}/${remote}`,
  channel: ({ remote, vdev, raw, ordinal }: ChannelKey) =>
    `channel/${vdev}/${ordinal}/${remote}/${raw}`,
  subscription: (endpoint: number, sender: string) => `subscription/${endpoint}/${sender}`,
  acknowledged: (endpoint: number, sender: string) => `acknowledged/${endpoint}/${sender}`,
} as const;

/** Changes, to be committed together. */
export const changes = {
  bus: (id: string): Change => ['bus', id],
  remote: (name: string, record: RemoteRecord): Change => [keys.remote(name), record],
  names: (remote: string, vdev: number, record: NamesRecord): Change => [
    keys.names(remote, vdev),
    record,
  ],
  channel: (record: ChannelRecord): Change => [keys.channel(record), record],
  noChannel: (channel: ChannelKey): Change => [keys.channel(channel)],
  endpoint: (record: EndpointRecord): Change => [`endpoint/${record.id}`, record],
  noEndpoint: (id: number): Change => [`endpoint/${id}`],
  subscription: (record: SubscriptionRecord): Change => [
    keys.subscription(record.endpoint, record.sender),
    record,
  ],
  noSubscription: (endpoint: number, sender: string): readonly Change[] => [
    [keys.subscription(endpoint, sender)],
    [keys.acknowledged(endpoint, sender)],
  ],
  stream: (record: StreamRecord): Change => [`stream/${record.endpoint}`, record],
  noStream: (endpoint: number): Change => [`stream/${endpoint}`],
  acknowledged: (endpoint: number, sender: string, before: number): Change => [
    keys.acknowledged(endpoint, sender),
    before,
  ],
} as const;

export class ObjectStore {
  /** As it was when this daemon started, until restored() is called. */
  found: StoredObjects;
  readonly #file: ChangeLog | undefined;
  #lastNumber: number;

  private constructor(file: ChangeLog | undefined) {
    this.#file = file;
    this.found = new StoredObjects(file?.entries() ?? []);
    this.#lastNumber = this.found.lastNumber;
  }

  /** Throws when the directory cannot be written. */
  static open(directory: string, logger: ChangeLogger, boot = bootId()): ObjectStore {
    const path = join(directory, objectsFile);
    const header: Header = { rpmsgd: 'objects', version: formatVersion, boot };
    const isOurs = (found: unknown) => accepts(found as Partial<Header>, boot);
    const setup = { path, header, accepts: isOurs, logger, check: checkRecord };
    return new ObjectStore(new ChangeLog(setup));
  }

  /** Whether an earlier daemon of this boot has known the remote. Reads without understanding. */
  static knows(directory: string, remote: string, boot = bootId()): boolean {
    try {
      const stored = readFileSync(join(directory, objectsFile), 'utf8');
      const header = JSON.parse(stored.slice(0, stored.indexOf('\n'))) as Partial<Header>;
      return accepts(header, boot) && stored.includes(JSON.stringify(keys.remote(remote)));
    } catch {
      return false;
    }
  }

  /** One that forgets everything with the process. */
  static inMemory(): ObjectStore {
    return new ObjectStore(undefined);
  }

  /** False: it could not be written yet. Nobody may be told of what depends on it. */
  commit(...all: readonly Change[]): boolean {
    return this.#file?.write(all) ?? true;
  }

  /** What was found has been made again: it need not be kept in memory. */
  restored(): void {
    const { busId } = this.found;
    this.found = new StoredObjects(busId === '' ? [] : [['bus', busId]]);
  }

  /** What else to commit with an endpoint, so that its number is never used again. */
  numbered(id: number): readonly Change[] {
    if (id <= this.#lastNumber) return [];
    this.#lastNumber = id;
    return [['numbers', id]];
  }

  /** What happens from now on is no change to what the next daemon is to find. */
  freeze(): void {
    this.#file?.freeze();
  }
}
