// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl call`: one message, and the answer to it.

import type { Bus } from '../dbus/index.ts';
import { Endpoint, longestReceiveMs } from './endpoint.ts';
import { CliStatus, RpmsgctlError } from './errors.ts';
import { count, watchEndpoint } from './live/endpoint-watch.ts';
import { untilAbort } from './live/until.ts';
import { kindOf, nameOf } from './objects.ts';
import { timeOption, usage } from './options.ts';
import { printingOptions, printMessage, type ReceivedMessage } from './payload/print.ts';
import { payloadDetails, payloadOptions, payloadUsage, readPayload } from './payload/read.ts';
import { findEndpoint } from './resolve.ts';
import { endpointUsage, isEmpty, takeTarget, targetOptions } from './target.ts';
import type { CommandContext, Verb } from './verb.ts';

const usualTimeoutMs = 5000;
const drainMessages = 256;

export const call: Verb = {
  name: 'call',
  usage: `${endpointUsage} ${payloadUsage}`,
  summary: 'send a message and print the answer',
  takes: 'endpoint',
  calls: [
    'org.rpmsg.Channel.Open',
    'org.rpmsg.Endpoint.Send and Receive',
    'org.freedesktop.DBus.ObjectManager.GetManagedObjects',
  ],
  options: [
    ...targetOptions,
    ...payloadOptions,
    ...printingOptions,
    { name: 'timeout', value: 'TIME', summary: 'how long the answer is waited for (default 5s)' },
  ],
  details: `On a channel it has an endpoint of its own, so that the next message there is the answer. On another
endpoint what waits in the queue is taken and dropped first. Exit status 75 if no answer came in time,
1 if the remote was reset meanwhile.

${payloadDetails}`,
  run: async (context: CommandContext) => {
    const { target, rest } = takeTarget(context);
    if (isEmpty(target)) throw usage(`call takes ${endpointUsage} and a payload`);
    const timeoutMs = timeOption(context.options, 'timeout', 1) ?? usualTimeoutMs;
    const data = await readPayload(context, rest);
    const bus = await context.bus();
    const found = await findEndpoint(bus, target);
    const isChannel = kindOf(found) === 'channel' && target.path === undefined;
    const endpoint = isChannel
      ? await Endpoint.open(bus, found.path)
      : await drained(context, new Endpoint(bus, found.path));
    const answer = await answerTo(bus, endpoint, data, timeoutMs);
    printMessage(context, answer, nameOf(found));
  },
};

/** What waits there is no answer to what was not yet sent. */
async function drained(context: CommandContext, endpoint: Endpoint): Promise<Endpoint> {
  let old = 0;
  for (let got = drainMessages; got === drainMessages; old += got) {
    got = (await endpoint.receive(drainMessages, 0)).messages.length;
  }
  if (old > 0) context.complain(`${count(old)} waiting, and dropped`);
  return endpoint;
}

async function answerTo(
  bus: Bus,
  endpoint: Endpoint,
  data: Buffer,
  timeoutMs: number,
): Promise<ReceivedMessage> {
  const watch = await watchEndpoint(bus, endpoint.path, () => {});
  try {
    await endpoint.send(data);
    const reset = untilAbort(watch.reset).then(() => undefined);
    const message = await Promise.race([untilAnswer(endpoint, timeoutMs), reset]);
    if (message !== undefined) return message;
  } finally {
    watch.close();
  }
  if (watch.reset.aborted) {
    throw new RpmsgctlError(CliStatus.failure, `no answer: ${watch.reset.reason}`);
  }
  throw new RpmsgctlError(CliStatus.timedOut, `no answer came within ${timeoutMs} ms`);
}

async function untilAnswer(
  endpoint: Endpoint,
  timeoutMs: number,
): Promise<ReceivedMessage | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const leftMs = Math.max(0, deadline - performance.now());
    const waitMs = Math.min(leftMs, longestReceiveMs);
    const { messages } = await endpoint.receive(1, waitMs);
    if (messages.length > 0 || leftMs <= waitMs) return messages[0];
  }
}
