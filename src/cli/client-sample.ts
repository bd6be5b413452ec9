// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl client-sample`: the dialogue of the kernel's rpmsg_client_sample.

import { dialogueOptions, dialogueUsage, holdDialogue } from './dialogue/hold.ts';
import { clientSampleChannel, clientSample as script } from './dialogue/scripts.ts';
import { jsonLine } from './json.ts';
import { showProgress } from './live/progress.ts';
import { numberOption } from './options.ts';
import type { CommandContext, Verb } from './verb.ts';

const usualCount = 100;
const mostCount = 1_000_000_000;

export const clientSample: Verb = {
  name: 'client-sample',
  usage: dialogueUsage,
  summary: `hold the dialogue of ${clientSampleChannel}`,
  takes: 'channel',
  calls: ['org.rpmsg.Channel.Open', 'org.rpmsg.Endpoint.Subscribe, Send and Close'],
  options: [
    ...dialogueOptions,
    { name: 'count', value: 'COUNT', summary: 'so many messages (default 100)' },
  ],
  details: `Sends "hello world!" each time the message before came back, as the kernel's module of that name
does with its parameter count. Exit status 75 if an answer did not come in time, 1 if it was another
one, or the remote was reset in the middle.
`,
  run: async (context: CommandContext) => {
    const count = numberOption(context.options, 'count', 1, mostCount) ?? usualCount;
    let done = 0;
    const stopProgress = showProgress(context, () => `${done} of ${count} came back so far`);
    const held = await holdDialogue(context, clientSampleChannel, (peer, options) => {
      return script(peer, count, {
        ...options,
        told: (who, data) => {
          if (who === 'remote') done++;
          options.told?.(who, data);
        },
      });
    }).finally(stopProgress);
    const took = held.tookMs.toFixed(1);
    if (context.json) {
      context.print(jsonLine({ endpoint: held.endpoint, answers: count, took_ms: Number(took) }));
    } else context.print(`"hello world!" came back ${count} times in ${took} ms\n`);
  },
};
