// SPDX-License-Identifier: Apache-2.0
// Streams on lossless vdevs: one way against an in-process host on the same ring, which kicks for
// every message and waits until each word is taken; the round trip against a bare relay.

import { SERVICE } from '../support/rpmsg-client.ts';
import { Contest } from './contest.ts';
import { restCpu } from './pinning.ts';
import { each, type Measured, rate, runClient } from './programs.ts';
import { type Reference, startBareRelay, startInProcessHost } from './references.ts';
import { fewer } from './rounds.ts';
import type { Beside, Row, RowContext, Samples } from './row.ts';
import { onStage, type Stage } from './stage.ts';

const goalBytes = 496;
const otherBytes = [16, 256];
const manyVdevs = 8;

interface Mode {
  readonly name: 'tx' | 'rx' | 'rtt';
  readonly channel: 'sink' | 'source' | 'echo';
  /** What a round is worth. */
  readonly value: (measured: Measured) => number;
}

/** `count` messages a stream, on a stream of each of these vdevs. */
export function runStreams(
  stage: Stage,
  { name, channel }: Pick<Mode, 'name' | 'channel'>,
  vdevs: readonly number[],
  bytes: number,
  count: number,
): Promise<Measured> {
  const all = vdevs.map((vdev) => stage.channel(channel, vdev)).join(',');
  return runClient(restCpu, 'stream-client', [stage.address, SERVICE, all, name, bytes, count]);
}

function contestOf(mode: Mode, stage: Stage, reference: Reference, bytes: number, streams = 1) {
  const vdevs = Array.from({ length: streams }, (_, vdev) => vdev);
  const daemon = {
    pid: stage.daemonPid,
    run: (count: number) => runStreams(stage, mode, vdevs, bytes, Math.ceil(count / streams)),
  };
  const run = (count: number) => reference.run(mode.name, bytes, count);
  return new Contest(daemon, { pid: reference.pid, run }, mode.value);
}

async function oneStream(
  mode: Mode,
  stage: Stage,
  reference: Reference,
  context: RowContext,
): Promise<Samples> {
  const main = contestOf(mode, stage, reference, goalBytes);
  const samples = await main.run(context, `${goalBytes} B`);
  const beside: Beside[] = [];
  for (const sizeBytes of otherBytes) {
    const what = `${sizeBytes} B`;
    const contest = contestOf(mode, stage, reference, sizeBytes);
    beside.push({ what, sizeBytes, ...(await contest.run(fewer(context), what)) });
  }
  return { ...samples, beside: [...beside, main.cpu], ...main.latencies };
}

async function withReference<T>(
  starting: Promise<Reference>,
  work: (reference: Reference) => Promise<T>,
): Promise<T> {
  const reference = await starting;
  try {
    return await work(reference);
  } finally {
    await reference.stop();
  }
}

/** As many messages altogether, through a stream of every vdev at once. */
function manyStreams(mode: Mode, context: RowContext): Promise<Beside> {
  const what = `${manyVdevs} streams`;
  const board = { vdevs: manyVdevs, isLossless: true };
  return onStage(board, { signal: context.signal }, (stage) =>
    withReference(startInProcessHost(manyVdevs), async (reference) => {
      const contest = contestOf(mode, stage, reference, goalBytes, manyVdevs);
      return { what, ...(await contest.run(fewer(context), what)) };
    }),
  );
}

function measureOneWay(mode: Mode) {
  return async (context: RowContext): Promise<Samples> => {
    const board = { vdevs: 1, isLossless: true };
    const samples = await onStage(board, { signal: context.signal }, (stage) =>
      withReference(startInProcessHost(1), (reference) =>
        oneStream(mode, stage, reference, context),
      ),
    );
    const many = await manyStreams(mode, context);
    return { ...samples, beside: [...(samples.beside ?? []), many] };
  };
}

function measureRoundTrip(mode: Mode) {
  return (context: RowContext): Promise<Samples> =>
    onStage({ vdevs: 1, isLossless: true }, { signal: context.signal }, (stage) =>
      withReference(startBareRelay(), (reference) => oneStream(mode, stage, reference, context)),
    );
}

const atLeastAsMany = { limit: 1, is: 'at least' } as const;

export const streamTx: Row = {
  name: 'stream_tx',
  what: `a stream, host to remote, ${goalBytes} B, against an in-process host that kicks for each message`,
  unit: 'messages/s',
  goal: atLeastAsMany,
  measure: measureOneWay({ name: 'tx', channel: 'sink', value: rate }),
};

export const streamRx: Row = {
  name: 'stream_rx',
  what: 'the same, remote to host',
  unit: 'messages/s',
  goal: atLeastAsMany,
  measure: measureOneWay({ name: 'rx', channel: 'source', value: rate }),
};

export const streamRtt: Row = {
  name: 'stream_rtt',
  what: `the round trip of a stream, ${goalBytes} B, against a bare relay without a ring`,
  unit: 'us',
  goal: { limit: 1.3, is: 'at most' },
  measure: measureRoundTrip({ name: 'rtt', channel: 'echo', value: each }),
};
