// SPDX-License-Identifier: Apache-2.0
// Where each model is in the object tree. A path is made once: every signal asks for it.

import type { Device } from '../../remote/device.ts';
import type { Endpoint } from '../../remote/endpoint.ts';
import type { Remote } from '../../remote/remote.ts';
import { pathElement } from '../../rpmsg/channel-name.ts';
import type { Channel } from '../../rpmsg/channels.ts';

export const rootPath = '/org/rpmsg';

const known = new WeakMap<object, string>();

function once(model: object, make: () => string): string {
  const path = known.get(model) ?? make();
  known.set(model, path);
  return path;
}

export function remotePath(remote: Remote): string {
  return once(remote, () => `${rootPath}/${pathElement(Buffer.from(remote.name))}`);
}

export function devicePath(device: Device): string {
  return once(device, () => `${remotePath(device.remote)}/vdev${device.index}`);
}

/** A channel is its vdev's alone. */
export function channelPath(device: Device, channel: Channel): string {
  return once(channel, () => `${devicePath(device)}/${channel.element}`);
}

export function endpointPath(endpoint: Endpoint): string {
  const { device, id, spec } = endpoint;
  return spec.kind === 'default' && spec.channel !== undefined
    ? channelPath(device, spec.channel)
    : once(endpoint, () => `${devicePath(device)}/endpoint_${id}`);
}
