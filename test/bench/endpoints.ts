// SPDX-License-Identifier: Apache-2.0
// Whether many endpoints slow down one: the round trip of a stream beside 1,000 endpoints on 8 vdevs,
// against a daemon with one vdev and nothing else.

import { SERVICE } from '../support/rpmsg-client.ts';
import { restCpu } from './pinning.ts';
import { each, type Measured, runClient } from './programs.ts';
import { fewer, sideBySide } from './rounds.ts';
import type { Row, RowContext, Samples } from './row.ts';
import { onStage, type Stage } from './stage.ts';
import { runStreams } from './streams.ts';

const endpoints = 1_000;
const vdevs = 8;
const bytes = 496;
const trips = 2_500;

function onBus(stage: Stage, vdev: number): Promise<Measured> {
  const words = [stage.address, SERVICE, stage.channel('echo', vdev), 'rtt', bytes, trips];
  return runClient(restCpu, 'bus-client', words);
}

async function compare(crowd: Stage, alone: Stage, context: RowContext): Promise<Samples> {
  const echo = { name: 'rtt', channel: 'echo' } as const;
  const samples = await sideBySide(
    context,
    'streams',
    async () => each(await runStreams(crowd, echo, [vdevs - 1], bytes, trips)),
    async () => each(await runStreams(alone, echo, [0], bytes, trips)),
  );
  const bus = await sideBySide(
    fewer(context),
    'Send and MessageReceived',
    async () => each(await onBus(crowd, vdevs - 1)),
    async () => each(await onBus(alone, 0)),
  );
  return { ...samples, beside: [{ what: 'Send and MessageReceived', ...bus }] };
}

function measure(context: RowContext): Promise<Samples> {
  const { signal } = context;
  return onStage({ vdevs, isLossless: true }, { signal }, (crowd) =>
    onStage({ vdevs: 1, isLossless: true }, { signal }, (alone) =>
      crowd.asClient(async (client) => {
        for (let n = 0; n < endpoints; n++) await client.open(crowd.channel('echo', n % vdevs));
        return await compare(crowd, alone, context);
      }),
    ),
  );
}

export const endpoints1000Rtt: Row = {
  name: 'endpoints_1000_rtt',
  what: `a stream's round trip beside ${endpoints} endpoints on ${vdevs} vdevs, against one alone`,
  unit: 'us',
  goal: { limit: 1.1, is: 'at most' },
  measure,
};
