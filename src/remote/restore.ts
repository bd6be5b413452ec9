// SPDX-License-Identifier: Apache-2.0
// Makes the channels and endpoints of an earlier daemon again: the same objects, at the same
// addresses, with the messages that the link has kept for them.

import type { OpenedRemote } from '../addon/types.ts';
import type { StaticEndpoint } from '../config/types.ts';
import type { Change } from '../state/change-log.ts';
import { changes, keys, type StoredObjects } from '../state/object-store.ts';
import type { ChannelRecord, EndpointRecord } from '../state/records.ts';
import { RpmsgdError } from '../util/errors.ts';
import type { LinkContext } from './context.ts';
import type { Device } from './device.ts';
import type { EndpointSpec } from './endpoint.ts';
import type { Remote } from './remote.ts';
import type { Kept, Memory } from './stored.ts';

/** What a restored endpoint owes to its owner, and its owner to it. */
export type Adopt = (
  owner: NonNullable<EndpointRecord['owner']>,
  device: Device,
  id: number,
) => Pick<EndpointSpec, 'owner' | 'ownerUid' | 'ownership'>;

/** Before the link has reported anything, and before anything is published. */
export class Restorer {
  readonly #context: LinkContext;
  readonly #remote: Remote;
  readonly #opened: OpenedRemote;
  readonly #adopt: Adopt;
  readonly #keptById: ReadonlyMap<number, Kept>;
  /** Channels that somebody has an endpoint on, listens to, or has a stream or terminal of. */
  readonly #used: ReadonlySet<string>;

  constructor(context: LinkContext, remote: Remote, opened: OpenedRemote, adopt: Adopt) {
    this.#context = context;
    this.#remote = remote;
    this.#opened = opened;
    this.#adopt = adopt;
    this.#keptById = new Map(opened.endpoints.map((endpoint) => [endpoint.id, endpoint]));
    this.#used = usedChannels(context.store.found);
  }

  /** Those of `statics` that are there already go on; others that need their address give way. */
  restore(statics: readonly StaticEndpoint[]): void {
    const { found } = this.#context.store;
    const isOurs = ({ remote }: { remote: string }) => remote === this.#remote.name;
    for (const record of found.channels.filter(isOurs)) {
      this.#restoreChannel(this.#recount(record));
    }
    for (const record of found.endpoints.filter(isOurs)) this.#restoreEndpoint(record, statics);
  }

  /** A link that has lost count calls the life it adopted by another number than the store. */
  #recount(record: ChannelRecord): ChannelRecord {
    const generation = this.#lifeNow(record.generation) ?? record.generation;
    if (generation === record.generation) return record;
    const recounted = { ...record, generation };
    this.#context.store.commit(changes.channel(recounted));
    return recounted;
  }

  /** The number that the life `generation` has now; undefined: it is over. */
  #lifeNow(generation: number | undefined): number | undefined {
    const { resume, generation: current } = this.#opened;
    if (resume === 'cold' || resume === 'lost') return undefined;
    const known = this.#context.store.found.remotes.get(this.#remote.name)?.generation;
    const isAdopted = resume === 'adopted' && generation === known;
    return generation === current || isAdopted ? current : undefined;
  }

  #restoreChannel(record: ChannelRecord): void {
    const { resume } = this.#opened;
    const device = this.#remote.devices[record.vdev];
    const kept = this.#kept(record.endpoint.id);
    const isMissed = kept.firstSeq < kept.nextSeq || this.#used.has(keys.channel(record));
    if (device === undefined || (resume === 'cold' && !isMissed)) {
      this.#context.store.commit(changes.noChannel(record));
      return;
    }
    const isAlive = record.isAlive && this.#lifeNow(record.generation) !== undefined;
    const restore = () => device.restoreChannel(record, isAlive, kept);
    this.#attempt(restore, changes.noChannel(record), record.raw);
  }

  #restoreEndpoint(record: EndpointRecord, statics: readonly StaticEndpoint[]): void {
    const device = this.#remote.devices[record.vdev];
    const forget = changes.noEndpoint(record.id);
    const rival = statics.find(({ vdev, src }) => vdev === record.vdev && src === record.local);
    const isWanted = record.kind === 'static' ? isSame(record, rival) : rival === undefined;
    if (device === undefined || !isWanted) {
      this.#context.store.commit(forget);
      return;
    }
    this.#attempt(() => this.#open(device, record), forget, record.name);
  }

  #open(device: Device, record: EndpointRecord): void {
    const { id, name, kind, local, rxQueue, peer, owner, announce = false } = record;
    const { raw, ordinal } = record.channel ?? {};
    const channel = raw === undefined ? undefined : device.channels.find(raw, ordinal ?? 1);
    if (raw !== undefined && channel === undefined) {
      throw new RpmsgdError('not_connected', 'its channel is not known');
    }
    const adopted = owner === undefined ? undefined : this.#adopt(owner, device, id);
    // In the order of those that are made new: all of them have one hidden class.
    const spec = {
      kind,
      name,
      local,
      peer,
      channel,
      owner: adopted?.owner,
      ownerUid: adopted?.ownerUid,
      announce,
      rxQueue,
      ownership: adopted?.ownership,
    };
    try {
      device.open(spec, { ...this.#kept(id), memory: this.#memory(record) });
    } catch (error) {
      adopted?.ownership?.ended();
      throw error;
    }
  }

  /** What it was taught in the life that goes on. */
  #memory({ learned, announcedIn }: EndpointRecord): Memory {
    const generation = this.#lifeNow(learned?.generation);
    return {
      announcedIn: this.#lifeNow(announcedIn),
      learned:
        learned === undefined || generation === undefined ? undefined : { ...learned, generation },
    };
  }

  /** One that the link does not know goes on without messages. */
  #kept(id: number): Kept {
    return this.#keptById.get(id) ?? { id, firstSeq: 0, nextSeq: 0 };
  }

  #attempt(restore: () => void, forget: Change, name: string): void {
    try {
      restore();
    } catch (err) {
      if (!(err instanceof RpmsgdError)) throw err;
      const remote = this.#remote.name;
      this.#context.log.warn({ remote, name, err }, 'an object of the earlier daemon is lost');
      this.#context.store.commit(forget);
    }
  }
}

function usedChannels(found: StoredObjects): Set<string> {
  const { channels, endpoints, subscriptions, streams } = found;
  const used = new Set<string>();
  for (const { channel, remote, vdev } of endpoints) {
    if (channel !== undefined) used.add(keys.channel({ remote, vdev, ...channel }));
  }
  const heldEndpoints = new Set([...subscriptions, ...streams].map(({ endpoint }) => endpoint));
  for (const channel of channels) {
    if (heldEndpoints.has(channel.endpoint.id)) used.add(keys.channel(channel));
  }
  return used;
}

function isSame(record: EndpointRecord, wanted: StaticEndpoint | undefined): boolean {
  return wanted !== undefined && wanted.name === record.name && wanted.dst === record.peer;
}
