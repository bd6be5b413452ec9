// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl nxp`: asks one of NXP's services of a remote, and prints what it answers.

import { CliStatus, RpmsgctlError } from './errors.ts';
import { printAnswer } from './nxp/answer.ts';
import { catalogue } from './nxp/catalogue.ts';
import { findServiceChannel } from './nxp/channel.ts';
import { ask, notify } from './nxp/exchange.ts';
import { readRequest } from './nxp/request.ts';
import { numberOption, timeOption } from './options.ts';
import type { CommandContext, Verb } from './verb.ts';

const longestIndex = 99;

export const nxp: Verb = {
  name: 'nxp',
  usage: 'SERVICE COMMAND [VALUE...] [FIELD=VALUE...]',
  summary: "ask a remote's life-cycle, GPIO, RTC or another service of NXP",
  calls: [
    'org.rpmsg.Endpoint.Subscribe, Send and Receive',
    'org.freedesktop.DBus.ObjectManager.GetManagedObjects',
  ],
  options: [
    { name: 'remote', value: 'REMOTE', summary: 'where several remotes have the service' },
    { name: 'vdev', value: 'INDEX', summary: 'where several vdevs have it; else it is the first' },
    {
      name: 'timeout',
      value: 'TIME',
      summary: 'how long the answer may take, as 500ms or 2s (default 1s, for i2c\n500ms)',
    },
  ],
  details: `${catalogue()}
The service is found by the name of its channel, which may stand for SERVICE. Numbers are decimal or
begin with 0x. A time is seconds since 1970, now, or as in 2026-01-31T12:00:00Z. Other fields of a
request are 0 unless FIELD=VALUE says otherwise. What has no result prints nothing.

It speaks from the channel's shared endpoint, as NXP's firmware talks to the address alone that spoke
to it first. Messages that waited there are told of on standard error, and gone.
`,
  run: async (context: CommandContext) => {
    const { options } = context;
    const { request, channelName } = readRequest(context.args);
    const { service, command } = request;
    const timeoutMs = timeOption(options, 'timeout', 1) ?? service.timeoutMs;
    const vdev = numberOption(options, 'vdev', 0, longestIndex);
    const remote = options['remote'] === undefined ? undefined : String(options['remote']);
    const names = channelName === undefined ? service.channels : [channelName];
    const bus = await context.bus();
    const channel = await findServiceChannel(bus, { names, remote, vdev });
    if (command.kind !== 'request') {
      await notify(bus, channel, request);
      printAnswer(context, channel.path, request, undefined);
      return;
    }
    const answer = await ask(bus, channel, request, timeoutMs, context.complain);
    const code = answer.values[service.code.field] ?? 0;
    if (!service.code.good.includes(code)) {
      const name = service.code.names[code];
      const text = name === undefined ? `error ${code}` : `${name} (error ${code})`;
      const what = `${channel.remote} answers ${service.name} ${command.name}: ${text}`;
      throw new RpmsgctlError(CliStatus.failure, what);
    }
    printAnswer(context, channel.path, request, answer);
  },
};
