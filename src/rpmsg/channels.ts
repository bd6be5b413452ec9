// SPDX-License-Identifier: Apache-2.0
// The channels of one vdev: what its remote has announced, in this life or a former one. A channel is
// known by its name; its address belongs to the announcement.

import type { ChannelName } from './channel-name.ts';
import { type Announcement, decodeAnnouncement } from './name-service.ts';

export class Channel {
  readonly name: ChannelName;
  /** 1 for the first of its name, 2 for one announced while the first was alive, and so on. */
  readonly ordinal: number;
  /** Undefined while it is withdrawn. */
  remoteAddress: number | undefined;
  /** The last address it had. */
  lastAddress: number;

  constructor(name: ChannelName, ordinal: number, address: number) {
    this.name = name;
    this.ordinal = ordinal;
    this.remoteAddress = address;
    this.lastAddress = address;
  }

  /** Of the object path: stays the same over withdrawals and resets. */
  get element(): string {
    const suffix = this.ordinal === 1 ? '' : `__${this.ordinal}`;
    return `channel_${this.name.element}${suffix}`;
  }

  get isAlive(): boolean {
    return this.remoteAddress !== undefined;
  }
}

/** Messages to the name service that changed nothing. They only grow. */
export interface NameServiceCounters {
  /** Not 40 bytes, or no address. */
  malformed: number;
  /** Created although alive under the same address: the remote restarted without telling. */
  duplicate: number;
  /** Destroyed although not there. */
  unknown: number;
  /** Created beyond the limit. */
  refused: number;
}

export type AnnouncementOutcome =
  | { readonly kind: 'created'; readonly channel: Channel; readonly evicted?: Channel }
  | { readonly kind: 'revived'; readonly channel: Channel }
  | { readonly kind: 'withdrawn'; readonly channel: Channel; readonly address: number }
  | { readonly kind: 'duplicate'; readonly channel: Channel }
  | { readonly kind: 'ignored'; readonly why: keyof NameServiceCounters };

export class ChannelRegistry {
  readonly counters: NameServiceCounters = { malformed: 0, duplicate: 0, unknown: 0, refused: 0 };
  /** By raw name (latin1), each list by ordinal; insertion order is age. */
  readonly #byName = new Map<string, Channel[]>();
  #count = 0;
  readonly #canForget: (channel: Channel) => boolean;

  /** `canForget`: whether nobody would miss a withdrawn channel when its place is needed. */
  constructor(canForget: (channel: Channel) => boolean = () => true) {
    this.#canForget = canForget;
  }

  get size(): number {
    return this.#count;
  }

  *[Symbol.iterator](): Generator<Channel> {
    for (const channels of this.#byName.values()) yield* channels;
  }

  /** Takes one message to the name service. `limit`: channels there may be, withdrawn ones included. */
  receive(payload: Buffer, limit: number): AnnouncementOutcome {
    const announcement = decodeAnnouncement(payload);
    if (announcement === undefined) return this.#ignored('malformed');
    return announcement.kind === 'create'
      ? this.#create(announcement, limit)
      : this.#destroy(announcement);
  }

  /** As an earlier daemon knew it. */
  restore(name: ChannelName, ordinal: number, lastAddress: number, isAlive: boolean): Channel {
    const channel = this.#place(new Channel(name, ordinal, lastAddress));
    if (!isAlive) channel.remoteAddress = undefined;
    return channel;
  }

  /** The channel of this raw name (a byte a character) and ordinal. */
  find(raw: string, ordinal: number): Channel | undefined {
    return this.#byName.get(raw)?.find((channel) => channel.ordinal === ordinal);
  }

  /** All that were alive, with the addresses they had. */
  withdrawAll(): { channel: Channel; address: number }[] {
    const withdrawn = [];
    for (const channel of this) {
      if (channel.remoteAddress === undefined) continue;
      withdrawn.push({ channel, address: channel.remoteAddress });
      channel.remoteAddress = undefined;
    }
    return withdrawn;
  }

  forget(channel: Channel): void {
    const key = channel.name.raw.toString('latin1');
    const left = this.#byName.get(key)?.filter((other) => other !== channel) ?? [];
    if (left.length === 0) this.#byName.delete(key);
    else this.#byName.set(key, left);
    this.#count--;
  }

  #ignored(why: keyof NameServiceCounters): AnnouncementOutcome {
    this.counters[why]++;
    return { kind: 'ignored', why };
  }

  #create({ name, address }: Announcement, limit: number): AnnouncementOutcome {
    const same = this.#named(name);
    const alive = same.find((channel) => channel.remoteAddress === address);
    if (alive !== undefined) {
      this.counters.duplicate++;
      return { kind: 'duplicate', channel: alive };
    }
    const withdrawn = same.filter((channel) => !channel.isAlive);
    const former = withdrawn.find(({ lastAddress }) => lastAddress === address) ?? withdrawn[0];
    if (former !== undefined) {
      former.remoteAddress = address;
      former.lastAddress = address;
      return { kind: 'revived', channel: former };
    }
    const evicted = this.#count >= limit ? this.#evict() : undefined;
    if (this.#count >= limit) return this.#ignored('refused');
    const channel = this.#add(name, address);
    return evicted === undefined
      ? { kind: 'created', channel }
      : { kind: 'created', channel, evicted };
  }

  #destroy({ name, address }: Announcement): AnnouncementOutcome {
    const channel = this.#named(name).find(({ remoteAddress }) => remoteAddress === address);
    if (channel === undefined) return this.#ignored('unknown');
    channel.remoteAddress = undefined;
    return { kind: 'withdrawn', channel, address };
  }

  #named(name: ChannelName): readonly Channel[] {
    return this.#byName.get(name.raw.toString('latin1')) ?? [];
  }

  #add(name: ChannelName, address: number): Channel {
    const same = this.#named(name);
    let ordinal = 1;
    while (same.some((channel) => channel.ordinal === ordinal)) ordinal++;
    return this.#place(new Channel(name, ordinal, address));
  }

  #place(channel: Channel): Channel {
    const key = channel.name.raw.toString('latin1');
    const same = this.#byName.get(key) ?? [];
    same.push(channel);
    same.sort((a, b) => a.ordinal - b.ordinal);
    this.#byName.set(key, same);
    this.#count++;
    return channel;
  }

  #evict(): Channel | undefined {
    for (const channel of this) {
      if (channel.isAlive || !this.#canForget(channel)) continue;
      this.forget(channel);
      return channel;
    }
    return undefined;
  }
}
