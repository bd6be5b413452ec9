// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl open`: an endpoint on a channel, for as long as the program runs, or for good.

import { finished } from 'node:stream/promises';
import { type Bus, Variant } from '../dbus/index.ts';
import { Endpoint } from './endpoint.ts';
import { jsonLine } from './json.ts';
import { nameOf, type RemoteObject, serviceName } from './objects.ts';
import { numberOption, usage } from './options.ts';
import { findChannel } from './resolve.ts';
import { channelUsage, isEmpty, onlyTarget, targetOptions } from './target.ts';
import type { CommandContext, Input, Verb } from './verb.ts';

const anyAddress = 0xffffffff;

export const open: Verb = {
  name: 'open',
  usage: channelUsage,
  summary: 'make an endpoint on a channel, and keep it',
  takes: 'channel',
  calls: ['org.rpmsg.Channel.Open', 'org.rpmsg.Device.CreateEndpoint (--persistent)'],
  options: [
    ...targetOptions,
    {
      name: 'persistent',
      summary:
        'make one that stays and belongs to nobody, and exit; for root and\n' +
        'members of group rpmsg-admin',
    },
    { name: 'rx-queue', value: 'COUNT', summary: 'messages it keeps until they are received' },
  ],
  details: `Prints the path of the endpoint. It is private to this program: it is closed when standard input
ends or with Ctrl-C, and nobody else can use it. A persistent one is closed by Endpoint.Close.
`,
  run: async (context: CommandContext) => {
    const target = onlyTarget(context);
    if (isEmpty(target)) throw usage(`open takes ${channelUsage}, as in cm40/vdev0 echo`);
    const rxQueue = numberOption(context.options, 'rx-queue', 1, anyAddress);
    const options = rxQueue === undefined ? {} : { rx_queue: new Variant('u', rxQueue) };
    const bus = await context.bus();
    const channel = await findChannel(bus, target);
    // From before the path is known: whoever reads it may end us at once.
    const interruption = context.interruption();
    const isPersistent = context.options['persistent'] === true;
    const path = isPersistent
      ? await createPersistent(bus, channel, options)
      : (await Endpoint.open(bus, channel.path, options)).path;
    context.print(context.json ? jsonLine({ endpoint: path }) : `${path}\n`);
    if (!isPersistent) await untilEnd(context.stdin, interruption);
  },
};

async function createPersistent(
  bus: Bus,
  channel: RemoteObject,
  options: Readonly<Record<string, Variant>>,
): Promise<string> {
  const iface = `${serviceName}.Device`;
  const all = { ...options, persistent: new Variant('b', true) };
  const device = channel.path.slice(0, channel.path.lastIndexOf('/'));
  const args = [nameOf(channel), anyAddress, channel.interfaces['Channel']?.['RemoteAddress'], all];
  const [path] = await bus.call(serviceName, device, iface, 'CreateEndpoint', 'suua{sv}', args);
  return String(path);
}

async function untilEnd(stdin: Input, signal: AbortSignal): Promise<void> {
  stdin.resume();
  try {
    await finished(stdin, { signal, writable: false });
  } catch {
    // Interrupted, or the terminal is gone: the end, too.
  }
  stdin.destroy();
}
