// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl receive`: messages out of an endpoint's queue.

import { Endpoint, longestReceiveMs } from './endpoint.ts';
import { CliStatus, RpmsgctlError } from './errors.ts';
import { count } from './live/endpoint-watch.ts';
import { nameOf } from './objects.ts';
import { numberOption, timeOption, usage } from './options.ts';
import { printingOptions, printMessage } from './payload/print.ts';
import { findEndpoint } from './resolve.ts';
import { endpointUsage, isEmpty, onlyTarget, targetOptions } from './target.ts';
import type { CommandContext, Verb } from './verb.ts';

const mostMessages = 1_000_000;
/** Of one call: a reply carries no more than this, whatever the queue has. */
const batchMessages = 256;

export const receive: Verb = {
  name: 'receive',
  usage: endpointUsage,
  summary: 'take messages that came out of their queue',
  takes: 'endpoint',
  calls: ['org.rpmsg.Endpoint.Receive', 'org.freedesktop.DBus.ObjectManager.GetManagedObjects'],
  options: [
    ...targetOptions,
    { name: 'count', value: 'COUNT', summary: 'so many messages (default 1)' },
    {
      name: 'timeout',
      value: 'TIME',
      summary: 'wait no longer than this, 0 not at all (default: until they come)',
    },
    { name: 'hex', summary: 'print in hexadecimal, a line each' },
    ...printingOptions,
  ],
  details: `A message is given to one receiver, and not to another. Exit status 75 if time was over before all
had come; those that had are printed.
`,
  run: async (context: CommandContext) => {
    const target = onlyTarget(context);
    if (isEmpty(target)) throw usage(`receive takes ${endpointUsage}`);
    const wanted = numberOption(context.options, 'count', 1, mostMessages) ?? 1;
    const timeoutMs = timeOption(context.options, 'timeout');
    const bus = await context.bus();
    const found = await findEndpoint(bus, target);
    const got = await receiveSome(context, new Endpoint(bus, found.path), nameOf(found), {
      wanted,
      timeoutMs,
    });
    if (got === wanted) return;
    throw new RpmsgctlError(CliStatus.timedOut, `${got} of ${wanted} messages came in time`);
  },
};

async function receiveSome(
  context: CommandContext,
  endpoint: Endpoint,
  name: string,
  { wanted, timeoutMs }: { wanted: number; timeoutMs: number | undefined },
): Promise<number> {
  const deadline = performance.now() + (timeoutMs ?? Number.POSITIVE_INFINITY);
  for (let got = 0; ; ) {
    const leftMs = Math.max(0, deadline - performance.now());
    const waitMs = Math.min(longestReceiveMs, leftMs);
    const max = Math.min(batchMessages, wanted - got);
    const { messages, dropped } = await endpoint.receive(max, waitMs);
    if (dropped > 0n) context.complain(`${count(dropped)} lost: the queue was full`);
    for (const message of messages) printMessage(context, message, name);
    got += messages.length;
    if (got >= wanted || (messages.length === 0 && leftMs <= waitMs)) return got;
  }
}
