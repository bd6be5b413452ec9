// SPDX-License-Identifier: Apache-2.0
// One dialogue of a verb, from its channel to its end: what is common to `pingpong` and
// `client-sample`.

import { CliStatus, RpmsgctlError } from '../errors.ts';
import { jsonLine } from '../json.ts';
import { watchEndpoint } from '../live/endpoint-watch.ts';
import { untilAbort } from '../live/until.ts';
import { nameOf } from '../objects.ts';
import { timeOption } from '../options.ts';
import { describePayload } from '../payload/describe.ts';
import { findChannel } from '../resolve.ts';
import { onlyTarget, targetOptions } from '../target.ts';
import type { CommandContext, VerbOption } from '../verb.ts';
import { Peer } from './peer.ts';
import type { ScriptOptions } from './scripts.ts';

const usualTimeoutMs = 5000;

export const dialogueOptions: readonly VerbOption[] = [
  ...targetOptions,
  { name: 'timeout', value: 'TIME', summary: 'how long each answer is waited for (default 5s)' },
  { name: 'verbose', summary: 'print each message' },
];

export const dialogueUsage = '[[REMOTE/VDEV] [CHANNEL]]';

/**
 * Opens an endpoint on the channel that is named, or else on `channel`, runs the script there, closes it.
 * @throws RpmsgctlError also when the remote is reset, or the endpoint closed, in the middle
 */
export async function holdDialogue<Result>(
  context: CommandContext,
  channel: string,
  script: (peer: Peer, options: ScriptOptions) => Promise<Result>,
): Promise<{ result: Result; tookMs: number; endpoint: string }> {
  const target = onlyTarget(context, false);
  const timeoutMs = timeOption(context.options, 'timeout', 1) ?? usualTimeoutMs;
  const bus = await context.bus();
  const isNamed = target.name !== undefined || target.path !== undefined;
  const found = await findChannel(bus, isNamed ? target : { ...target, name: channel });
  const peer = await Peer.open(bus, found.path);
  const watch = await watchEndpoint(bus, peer.endpoint.path, () => {});
  const failOn = (signal: AbortSignal, text: () => string) => {
    void untilAbort(signal).then(() => {
      peer.fail(new RpmsgctlError(CliStatus.failure, `${text()} in the middle of the dialogue`));
    });
  };
  failOn(watch.reset, () => String(watch.reset.reason));
  failOn(watch.closed, () => 'the endpoint was closed');
  const started = performance.now();
  const told = context.options['verbose'] === true ? teller(context, nameOf(found)) : undefined;
  const options = { timeoutMs, ...(told === undefined ? {} : { told }) };
  try {
    const result = await script(peer, options);
    const tookMs = performance.now() - started;
    await peer.close();
    return { result, tookMs, endpoint: peer.endpoint.path };
  } finally {
    watch.close();
  }
}

function teller(context: CommandContext, channel: string): NonNullable<ScriptOptions['told']> {
  return (who, data) => {
    if (context.json) context.print(jsonLine({ from: who, data: [...data] }));
    else context.print(`${who.padEnd(6)}  ${describePayload(channel, data)}\n`);
  };
}
