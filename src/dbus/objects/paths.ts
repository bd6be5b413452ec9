// SPDX-License-Identifier: Apache-2.0
// Where each model is in the object tree.

import type { Device } from '../../remote/device.ts';
import type { Endpoint } from '../../remote/endpoint.ts';
import type { Remote } from '../../remote/remote.ts';
import { pathElement } from '../../rpmsg/channel-name.ts';
import type { Channel } from '../../rpmsg/channels.ts';

export const rootPath = '/org/rpmsg';

export function remotePath({ name }: Remote): string {
  return `${rootPath}/${pathElement(Buffer.from(name))}`;
}

export function devicePath({ remote, index }: Device): string {
  return `${remotePath(remote)}/vdev${index}`;
}

export function channelPath(device: Device, { element }: Channel): string {
  return `${devicePath(device)}/${element}`;
}

export function endpointPath({ device, id, spec }: Endpoint): string {
  return spec.kind === 'default' && spec.channel !== undefined
    ? channelPath(device, spec.channel)
    : `${devicePath(device)}/endpoint_${id}`;
}
