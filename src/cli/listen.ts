// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl listen`: every message of an endpoint, until interrupted.

import { listenTo } from './live/listener.ts';
import { untilEnd } from './live/until.ts';
import { numberOption, usage } from './options.ts';
import { printingOptions } from './payload/print.ts';
import { findEndpoint } from './resolve.ts';
import { endpointUsage, isEmpty, onlyTarget, targetOptions } from './target.ts';
import type { CommandContext, Verb } from './verb.ts';

const mostMessages = 1_000_000_000;

export const listen: Verb = {
  name: 'listen',
  usage: endpointUsage,
  summary: 'print every message of an endpoint, until interrupted',
  takes: 'endpoint',
  calls: [
    'org.rpmsg.Endpoint.Subscribe and Ack',
    'org.freedesktop.DBus.ObjectManager.GetManagedObjects',
  ],
  options: [
    ...targetOptions,
    { name: 'count', value: 'COUNT', summary: 'end after so many messages' },
    { name: 'hex', summary: 'print in hexadecimal, a line each' },
    ...printingOptions,
  ],
  details: `Others that subscribed get the messages, too; who calls Receive gets none meanwhile. A message is
acknowledged once it is printed. Resets of the remote are told on standard error and are not the end,
nor is a stop of the daemon: when it is back, listen is subscribed again. Ctrl-C ends it with status 0
and a count, the closing of the endpoint with status 1.
`,
  run: async (context: CommandContext) => {
    const target = onlyTarget(context);
    if (isEmpty(target)) throw usage(`listen takes ${endpointUsage}`);
    const count = numberOption(context.options, 'count', 1, mostMessages);
    const interruption = context.interruption();
    const bus = await context.bus();
    const endpoint = await findEndpoint(bus, target);
    const listener = await listenTo(context, bus, endpoint, count ?? Number.POSITIVE_INFINITY);
    try {
      await untilEnd(context, bus, interruption, listener.done);
    } finally {
      const { messages, bytes } = listener;
      context.complain(`${messages} message${messages === 1 ? '' : 's'}, ${bytes} bytes`);
    }
  },
};
