// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl stream`: standard input and output as the two directions of an endpoint.

import type { PacketSocket } from '../addon/packet-socket.ts';
import { type Bus, BusError } from '../dbus/index.ts';
import { Endpoint } from './endpoint.ts';
import { count, type EndpointWatch, watchEndpoint } from './live/endpoint-watch.ts';
import { kindOf, serviceName } from './objects.ts';
import { usage } from './options.ts';
import { findEndpoint } from './resolve.ts';
import { acquireStream } from './stream/acquired.ts';
import { Conversation, type MessageStream } from './stream/conversation.ts';
import { readSettings, type StreamSettings, streamOptions } from './stream/settings.ts';
import { SubscribedStream } from './stream/subscribed.ts';
import { endpointUsage, isEmpty, onlyTarget, type Target, targetOptions } from './target.ts';
import type { CommandContext, Verb } from './verb.ts';

const notSupported = `${serviceName}.Error.NotSupported`;

export const stream: Verb = {
  name: 'stream',
  usage: endpointUsage,
  summary: 'connect standard input and output to an endpoint',
  takes: 'endpoint',
  calls: [
    'org.rpmsg.Channel.Open',
    'org.rpmsg.Endpoint.AcquireStream',
    'org.rpmsg.Endpoint.Subscribe and SendBatch where no descriptors pass',
  ],
  options: [...targetOptions, ...streamOptions],
  wantsDescriptors: true,
  details: `A channel by its name gets an endpoint of its own for this program; PATH is an endpoint that is
there, or a channel, whose shared endpoint it then is. What it does there others cannot meanwhile.

Each line or each SIZE bytes of the input are a message, and each message received is printed: on a
terminal as text, elsewhere as it is, with --lines each with a newline. Ends when the input has
ended, the remote has got all of it and no more answers come; with Ctrl-C; with status 1 when the
endpoint is closed. Resets of the remote are told on standard error, and are not the end.
`,
  run: async (context: CommandContext) => {
    const settings = readSettings(context);
    const target = onlyTarget(context);
    if (isEmpty(target)) throw usage(`stream takes ${endpointUsage}, as in cm40/vdev0 echo`);
    const interruption = context.interruption();
    const bus = await context.bus();
    const path = await endpointOf(bus, target);
    const watch = await watchEndpoint(bus, path, context.complain);
    try {
      const opened = await openStream(context, bus, path, settings, watch);
      await new Conversation(context, opened, settings).run(interruption, watch.closed);
    } finally {
      watch.close();
    }
  },
};

/** One of its own on a channel that is named; else the endpoint itself. */
async function endpointOf(bus: Bus, target: Target): Promise<string> {
  const found = await findEndpoint(bus, target);
  const isChannel = kindOf(found) === 'channel' && target.path === undefined;
  return isChannel ? (await Endpoint.open(bus, found.path)).path : found.path;
}

async function openStream(
  context: CommandContext,
  bus: Bus,
  path: string,
  settings: StreamSettings,
  { closed }: EndpointWatch,
): Promise<MessageStream> {
  const tell = (what: string) => context.complain(what);
  const acquired = await tryAcquire(bus, path, settings);
  if (acquired !== undefined) {
    acquired.on('truncated', (sizeBytes: number) => {
      tell(`a message of ${sizeBytes} bytes was longer than agreed, and is lost`);
    });
    return acquired;
  }
  tell('this bus passes no descriptors: using Subscribe and SendBatch, which is slower');
  const subscribed = await SubscribedStream.open(bus, path, settings);
  subscribed.on('lost', (direction: string, lost: number, why: string) => {
    tell(`${count(lost)} not ${direction}: ${why}`);
  });
  closed.addEventListener('abort', () => subscribed.endReading());
  return subscribed;
}

/** Undefined where no descriptors pass, on our way to the bus or on the daemon's. */
async function tryAcquire(
  bus: Bus,
  path: string,
  settings: StreamSettings,
): Promise<PacketSocket | undefined> {
  if (!bus.canPassFds) return undefined;
  try {
    return await acquireStream(bus, path, settings);
  } catch (error) {
    if (error instanceof BusError && error.name === notSupported) return undefined;
    throw error;
  }
}
