// SPDX-License-Identifier: Apache-2.0
// What goes through the bus, against an sd-bus service in C that does nothing but wake a process: the
// same client, the same bus.

import type { Child } from '../../packaging/dev/child.mjs';
import { SERVICE } from '../support/rpmsg-client.ts';
import { Contest, type Side } from './contest.ts';
import { daemonCpu, restCpu } from './pinning.ts';
import { rate, runClient, startReference } from './programs.ts';
import { fewer } from './rounds.ts';
import type { Beside, Row, RowContext, Samples } from './row.ts';
import { onStage, type Stage } from './stage.ts';

const referenceName = 'org.rpmsg.bench';
const referencePath = '/org/rpmsg/bench';
const goalBytes = 496;
const otherBytes = [16, 256];

interface Mode {
  /** Of bus-client. */
  readonly name: 'sync' | 'pipelined' | 'signal';
  readonly channel: 'sink' | 'source';
}

function runOn(stage: Stage, service: string, path: string, mode: Mode, bytes: number) {
  const words = [stage.address, service, path, mode.name, bytes];
  return (count: number) => runClient(restCpu, 'bus-client', [...words, count]);
}

function daemonSide(stage: Stage, mode: Mode, bytes: number): Side {
  const run = runOn(stage, SERVICE, stage.channel(mode.channel), mode, bytes);
  const side = { pid: stage.daemonPid, run };
  return mode.channel === 'sink' ? { ...side, arrived: () => stage.sunk() } : side;
}

async function contend(
  mode: Mode,
  stage: Stage,
  reference: Child,
  context: RowContext,
): Promise<Samples> {
  const contest = (bytes: number) => {
    const run = runOn(stage, referenceName, referencePath, mode, bytes);
    return new Contest(daemonSide(stage, mode, bytes), { pid: Number(reference.pid), run }, rate);
  };
  const main = contest(goalBytes);
  const samples = await main.run(context, `${goalBytes} B`);
  const beside: Beside[] = [];
  for (const sizeBytes of otherBytes) {
    const what = `${sizeBytes} B`;
    beside.push({ what, sizeBytes, ...(await contest(sizeBytes).run(fewer(context), what)) });
  }
  return { ...samples, beside: [...beside, main.cpu], ...main.latencies };
}

function measureMode(mode: Mode) {
  return (context: RowContext): Promise<Samples> =>
    onStage({ vdevs: 1 }, { signal: context.signal }, async (stage) => {
      const words = [stage.address, referenceName, restCpu];
      const reference = await startReference(daemonCpu, 'bus-service', words);
      try {
        return await contend(mode, stage, reference, context);
      } finally {
        await reference.stop();
      }
    });
}

const goal = { limit: 0.9, is: 'at least' } as const;

export const busSendSync: Row = {
  name: 'bus_send_sync',
  what: `Endpoint.Send of ${goalBytes} B, one call at a time, against a C service that wakes a process`,
  unit: 'calls/s',
  goal,
  measure: measureMode({ name: 'sync', channel: 'sink' }),
};

export const busSendPipelined: Row = {
  name: 'bus_send_pipelined',
  what: `the same, 64 calls in flight`,
  unit: 'calls/s',
  goal,
  measure: measureMode({ name: 'pipelined', channel: 'sink' }),
};

export const busSignal: Row = {
  name: 'bus_signal',
  what: `MessageReceived of ${goalBytes} B to one subscriber, against the C service's signals`,
  unit: 'signals/s',
  goal,
  measure: measureMode({ name: 'signal', channel: 'source' }),
};
