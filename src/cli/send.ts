// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl send`: one message.

import { Endpoint } from './endpoint.ts';
import { jsonDocument } from './json.ts';
import { numberOption, usage } from './options.ts';
import { payloadDetails, payloadOptions, payloadUsage, readPayload } from './payload/read.ts';
import { findEndpoint } from './resolve.ts';
import { endpointUsage, isEmpty, takeTarget, targetOptions } from './target.ts';
import type { CommandContext, Verb } from './verb.ts';

const highestAddress = 0xfffffffe;

export const send: Verb = {
  name: 'send',
  usage: `${endpointUsage} ${payloadUsage}`,
  summary: 'send a message',
  takes: 'endpoint',
  calls: [
    'org.rpmsg.Endpoint.Send',
    'SendTo (--to)',
    'TrySend and TrySendTo (--try)',
    'org.freedesktop.DBus.ObjectManager.GetManagedObjects',
  ],
  options: [
    ...targetOptions,
    ...payloadOptions,
    { name: 'to', value: 'ADDRESS', summary: 'to this address of the remote' },
    { name: 'try', summary: 'fail at once where no buffer is free' },
  ],
  details: `A channel by its name is its shared endpoint: what the remote answers is for rpmsgctl receive or
listen. When send is done the message is in the ring, and the remote was told.

${payloadDetails}`,
  run: async (context: CommandContext) => {
    const { target, rest } = takeTarget(context);
    if (isEmpty(target)) throw usage(`send takes ${endpointUsage} and a payload`);
    const to = numberOption(context.options, 'to', 0, highestAddress);
    const data = await readPayload(context, rest);
    const bus = await context.bus();
    const { path } = await findEndpoint(bus, target);
    const member = `${context.options['try'] === true ? 'TrySend' : 'Send'}`;
    const endpoint = new Endpoint(bus, path);
    if (to === undefined) await endpoint.call(member, 'ay', [data]);
    else await endpoint.call(`${member}To`, 'ayu', [data, to]);
    if (context.json) context.print(jsonDocument({ endpoint: path, bytes: data.length }));
  },
};
