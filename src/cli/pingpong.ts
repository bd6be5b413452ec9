// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl pingpong`: the dialogue of rpmsg-openamp-demo-channel.

import { dialogueOptions, dialogueUsage, holdDialogue } from './dialogue/hold.ts';
import { pingPong, pingPongChannel } from './dialogue/scripts.ts';
import { jsonLine } from './json.ts';
import type { CommandContext, Verb } from './verb.ts';

export const pingpong: Verb = {
  name: 'pingpong',
  usage: dialogueUsage,
  summary: `hold the dialogue of ${pingPongChannel}`,
  takes: 'channel',
  calls: ['org.rpmsg.Channel.Open', 'org.rpmsg.Endpoint.Subscribe, Send and Close'],
  options: dialogueOptions,
  details: `"hello world!", then a 32-bit counter that each side returns with one added, until the remote's is
above 100, then "goodbye!": NXP's first test of a link. Exit status 75 if an answer did not come in
time, 1 if it was another one, or the remote was reset in the middle.
`,
  run: async (context: CommandContext) => {
    const { result, tookMs, endpoint } = await holdDialogue(context, pingPongChannel, pingPong);
    const took = tookMs.toFixed(1);
    if (context.json) {
      context.print(jsonLine({ endpoint, answers: result, took_ms: Number(took) }));
      return;
    }
    const [first, second] = result;
    const answers = `${first} ${second} ... ${result.at(-1)}`;
    const counted = `${result.length} answers in ${took} ms`;
    context.print(`"hello world!" ${answers} "goodbye!" (${counted})\n`);
  },
};
