// SPDX-License-Identifier: Apache-2.0
// Resident memory of the daemon 5 s after READY, without the DDR of the board that it has mapped,
// against a Node that does nothing; and what an endpoint adds to it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '../support/daemon-process.ts';
import { channelPath, RpmsgClient } from '../support/rpmsg-client.ts';
import type { Row, RowContext, Samples } from './row.ts';
import { prepareScene } from './starts.ts';
import { Timed } from './timed.ts';

const settleMs = 5_000;
/** So many that what V8 has not collected yet, a MiB or two, does not matter. */
const endpoints = 8_000;
/** After so many of them the daemon's code has been read, compiled and optimised. */
const warmUp = 1_000;
const vdevs = 8;
/** A round takes more than 5 s, and its result hardly changes. */
const mostRounds = 5;

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, settleMs));
}

/** Resident KiB of a process: all of it, less what is mapped of the simulated board. */
export function residentKib(smaps: string): number {
  let total = 0;
  let isBoard = false;
  for (const line of smaps.split('\n')) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) isBoard = line.includes('/memfd:rpmsg-ddr');
    const resident = line.match(/^Rss: +(\d+) kB$/)?.[1];
    if (resident !== undefined && !isBoard) total += Number(resident);
  }
  return total;
}

function residentMib({ pid }: Timed): number {
  return residentKib(readFileSync(`/proc/${pid}/smaps`, 'utf8')) / 1024;
}

/** What the daemon's unit sets for it. */
function unitEnvironment(): string[] {
  const unit = readFileSync(join(checkout, 'systemd/rpmsgd.service'), 'utf8');
  return [...unit.matchAll(/^Environment=(.*)$/gm)].map(([, assignment = '']) => assignment);
}

async function withDaemon<T>(
  signal: AbortSignal,
  work: (daemon: Timed, address: string) => Promise<T>,
): Promise<T> {
  const scene = await prepareScene(signal);
  const daemon = await Timed.start(['env', ...unitEnvironment(), ...scene.daemonCommand()]);
  try {
    await daemon.ready();
    return await work(daemon, scene.address);
  } finally {
    await daemon.stop();
    await scene.stop();
  }
}

/** Both settle side by side: memory is not time. */
async function idleMib(signal: AbortSignal): Promise<[daemon: number, node: number]> {
  const node = await Timed.start([process.execPath, '-e', 'setInterval(()=>{},1e9)']);
  try {
    return await withDaemon(signal, async (daemon) => {
      await settle();
      return [residentMib(daemon), residentMib(node)];
    });
  } finally {
    await node.stop();
  }
}

async function measureIdle({ rounds, signal, say }: RowContext): Promise<Samples> {
  const values: number[] = [];
  const references: number[] = [];
  for (let round = 0; round < Math.min(rounds, mostRounds); round++) {
    signal.throwIfAborted();
    const [daemon, node] = await idleMib(signal);
    say(`round ${round + 1}: ${daemon.toFixed(1)} against ${node.toFixed(1)} MiB`);
    values.push(daemon);
    references.push(node);
  }
  return { values, references };
}

/** What one more endpoint takes, in KiB, when there are many. */
function endpointKib(signal: AbortSignal): Promise<number> {
  return withDaemon(signal, async (daemon, address) => {
    const client = await RpmsgClient.connect(address);
    const openUpTo = async (count: number, from = 0) => {
      for (let n = from; n < count; n++) await client.open(channelPath('cm40', n % vdevs, 'echo'));
      await settle();
      return residentMib(daemon);
    };
    const before = await openUpTo(warmUp);
    const after = await openUpTo(endpoints, warmUp);
    await client.close();
    return ((after - before) * 1024) / (endpoints - warmUp);
  });
}

async function measureEndpoints({ rounds, signal, say }: RowContext): Promise<Samples> {
  const values: number[] = [];
  for (let round = 0; round < Math.min(rounds, mostRounds); round++) {
    signal.throwIfAborted();
    values.push(await endpointKib(signal));
    say(`round ${round + 1}: ${values.at(-1)?.toFixed(2)} KiB`);
  }
  return { values };
}

export const rssIdle: Row = {
  name: 'rss_idle',
  what: `resident memory ${settleMs / 1000} s after READY, ${vdevs} vdevs, against an idle Node`,
  unit: 'MiB',
  goal: { limit: 1.5, is: 'at most' },
  measure: measureIdle,
};

export const rssPerEndpoint: Row = {
  name: 'rss_per_endpoint',
  what: `resident memory that each further endpoint adds, from ${warmUp} to ${endpoints}`,
  unit: 'KiB',
  goal: { limit: 4, is: 'at most' },
  measure: measureEndpoints,
};
