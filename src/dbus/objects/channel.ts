// SPDX-License-Identifier: Apache-2.0
// org.rpmsg.Channel: what a remote announced under a name.

import definition from '../../../dbus/org.rpmsg.Channel.xml';
import type { Device } from '../../remote/device.ts';
import { anyAddress } from '../../rpmsg/addresses.ts';
import type { Channel } from '../../rpmsg/channels.ts';
import { RpmsgdError } from '../../util/errors.ts';
import {
  defineInterface,
  type InterfaceHandlers,
  type MethodCall,
  type Variant,
} from '../index.ts';
import { type Core, checkGroups, openOwned } from './core.ts';
import { serve } from './error-table.ts';
import { checkRange, readOptions } from './options.ts';
import { endpointPath } from './paths.ts';

export interface ChannelTarget {
  readonly core: Core;
  readonly device: Device;
  readonly channel: Channel;
}

async function open(
  { core, device, channel }: ChannelTarget,
  call: MethodCall,
  options: Record<string, Variant>,
): Promise<string> {
  const caller = core.callers.get(call.sender);
  const { rx_queue } = readOptions('Open', options);
  const { rxQueueMax } = core.context.limits();
  const rxQueue =
    rx_queue === undefined
      ? undefined
      : checkRange('rx_queue', rx_queue, rxQueueMax, 'rx_queue_max');
  const name = channel.name.display;
  await checkGroups(core, caller, [core.context.rule(name)?.group]);
  await core.access.uid(caller);
  if (!channel.isAlive) {
    throw new RpmsgdError('not_connected', `channel "${name}" is withdrawn; wait for Connected`);
  }
  const endpoint = await openOwned(core, device, caller, {
    name,
    local: anyAddress,
    channel,
    rxQueue,
  });
  return endpointPath(endpoint);
}

export const channelHandlers = {
  properties: {
    Name: ({ channel }) => channel.name.display,
    RawName: ({ channel }) => channel.name.raw,
    RemoteAddress: ({ channel }) => channel.remoteAddress ?? anyAddress,
    Tty: ({ core, device, channel }) =>
      core.terminals.linkOf(device.defaultEndpoint(channel)) ?? '',
  },
  methods: { Open: serve(open) },
} satisfies InterfaceHandlers<ChannelTarget>;

export const channelInterface = defineInterface<ChannelTarget>(definition, channelHandlers);
