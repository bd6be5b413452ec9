// SPDX-License-Identifier: Apache-2.0
// org.rpmsg.Device: one vdev of a remote.

import definition from '../../../dbus/org.rpmsg.Device.xml';
import type { Caller } from '../../remote/callers.ts';
import type { Device } from '../../remote/device.ts';
import type { Endpoint, EndpointSpec } from '../../remote/endpoint.ts';
import { deviceStats } from '../../remote/stats.ts';
import { anyAddress } from '../../rpmsg/addresses.ts';
import { encodeAnnouncement } from '../../rpmsg/name-service.ts';
import {
  defineInterface,
  type InterfaceHandlers,
  type MethodCall,
  type Variant,
} from '../index.ts';
import { type Core, checkGroups, openOwned, recheck } from './core.ts';
import { serve } from './error-table.ts';
import { checkRange, readOptions } from './options.ts';
import { endpointPath } from './paths.ts';

export interface DeviceTarget {
  readonly core: Core;
  readonly device: Device;
}

type Wish = Omit<EndpointSpec, 'kind' | 'owner' | 'ownership'>;

async function createEndpoint(
  { core, device }: DeviceTarget,
  call: MethodCall,
  name: string,
  src: number,
  dst: number,
  options: Record<string, Variant>,
): Promise<string> {
  const caller = core.callers.get(call.sender);
  const { announce = false, persistent = false, rx_queue } = readOptions('CreateEndpoint', options);
  if (announce) encodeAnnouncement(name, 0, 'create');
  const peer = dst === anyAddress ? undefined : dst;
  const { rxQueueMax } = core.context.limits();
  const rxQueue =
    rx_queue === undefined
      ? undefined
      : checkRange('rx_queue', rx_queue, rxQueueMax, 'rx_queue_max');
  if (peer !== undefined) await checkGroups(core, caller, [device.groupOf(peer)]);
  const wish: Wish = { name, local: src, peer, announce, rxQueue };
  const endpoint = persistent
    ? await openPersistent(core, device, caller, wish)
    : await openOwned(core, device, caller, wish);
  return endpointPath(endpoint);
}

async function openPersistent(
  core: Core,
  device: Device,
  caller: Caller,
  wish: Wish,
): Promise<Endpoint> {
  await core.access.requirePrivilege(caller, 'option persistent');
  recheck(core, caller);
  return device.open({ ...wish, kind: 'persistent' });
}

export const deviceHandlers = {
  properties: {
    Index: ({ device }) => device.index,
    State: ({ device }) => device.state,
    Status: ({ core, device }) => core.context.link.deviceStatus(device.remote.index, device.index),
    Mtu: ({ device }) => device.mtu,
    BufferCount: ({ device }) => device.bufferCount,
    Stats: ({ core, device }) => deviceStats(core.context, device),
  },
  methods: { CreateEndpoint: serve(createEndpoint) },
} satisfies InterfaceHandlers<DeviceTarget>;

export const deviceInterface = defineInterface<DeviceTarget>(definition, deviceHandlers);
