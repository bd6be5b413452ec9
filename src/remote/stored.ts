// SPDX-License-Identifier: Apache-2.0
// The models as the store has them: what is written when one comes to be, changes or goes.

import type { KeptEndpoint } from '../addon/types.ts';
import type { Channel } from '../rpmsg/channels.ts';
import type { Change } from '../state/change-log.ts';
import { changes } from '../state/object-store.ts';
import type { ChannelRecord, EndpointRecord } from '../state/records.ts';
import type { Device } from './device.ts';
import type { Endpoint } from './endpoint.ts';

/** What the peer taught an endpoint, or was taught, in one life of the remote. */
export interface Memory {
  readonly learned?: { readonly address: number; readonly generation: number } | undefined;
  readonly announcedIn?: number | undefined;
}

export const noMemory: Memory = {};

/** With what an endpoint of an earlier daemon goes on. */
export interface Kept extends Pick<KeptEndpoint, 'id' | 'firstSeq' | 'nextSeq'> {
  readonly memory?: Memory;
}

/** A channel's raw name in a string, a byte a character. */
export function rawName({ name }: Channel): string {
  return name.raw.toString('latin1');
}

/** Of endpoints with an object of their own. */
function endpointRecord(endpoint: Endpoint): EndpointRecord {
  const { id, device, spec, local, rxQueue, memory } = endpoint;
  const { name, kind, peer, channel, owner, ownerUid = 0, announce } = spec;
  if (kind === 'default') throw new Error('a default endpoint is stored with its channel');
  return {
    ...{ id, remote: device.remote.name, vdev: device.index, kind, name, local, rxQueue },
    ...(peer === undefined ? {} : { peer }),
    ...(channel === undefined
      ? {}
      : { channel: { raw: rawName(channel), ordinal: channel.ordinal } }),
    ...(owner === undefined ? {} : { owner: { sender: owner.sender, uid: ownerUid } }),
    ...(announce === true ? { announce } : {}),
    ...(memory.learned === undefined ? {} : { learned: memory.learned }),
    ...(memory.announcedIn === undefined ? {} : { announcedIn: memory.announcedIn }),
  };
}

function channelRecord(device: Device, channel: Channel, endpoint: Endpoint): ChannelRecord {
  const { id, local, rxQueue } = endpoint;
  return {
    ...channelKey(device, channel),
    address: channel.lastAddress,
    isAlive: channel.isAlive,
    generation: device.remote.generation,
    endpoint: { id, local, rxQueue },
  };
}

export function channelKey(device: Device, channel: Channel) {
  const { ordinal } = channel;
  return { remote: device.remote.name, vdev: device.index, raw: rawName(channel), ordinal };
}

/** A new endpoint, or one whose memory has changed. */
export function endpointChange(endpoint: Endpoint): Change {
  return changes.endpoint(endpointRecord(endpoint));
}

/** A channel that was announced or withdrawn, with its default endpoint. */
export function channelChange(device: Device, channel: Channel, endpoint: Endpoint): Change {
  return changes.channel(channelRecord(device, channel, endpoint));
}
