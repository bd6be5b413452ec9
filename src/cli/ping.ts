// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl ping`: round trips against a channel that sends each message back.

import { setTimeout as delay } from 'node:timers/promises';
import type { Bus } from '../dbus/index.ts';
import { CliStatus, RpmsgctlError } from './errors.ts';
import { jsonLine } from './json.ts';
import { watchEndpoint } from './live/endpoint-watch.ts';
import { backText, goneText, Presence } from './live/presence.ts';
import { showProgress } from './live/progress.ts';
import { untilEnd } from './live/until.ts';
import type { RemoteObject } from './objects.ts';
import { numberOption, timeOption } from './options.ts';
import { type Outcome, Pinger } from './ping/pinger.ts';
import { drawHistogram } from './ping/statistics.ts';
import { findChannel } from './resolve.ts';
import { onlyTarget, targetOptions } from './target.ts';
import { labelOf } from './terminal.ts';
import type { CommandContext, Verb } from './verb.ts';

const usualChannel = 'echo';
const usualIntervalMs = 1000;
const usualTimeoutMs = 2000;
const usualBytes = 56;
const mostCount = 1_000_000;
const mostBytes = 65_535;

export const ping: Verb = {
  name: 'ping',
  usage: '[[REMOTE/VDEV] [CHANNEL]]',
  summary: 'measure round trips on a channel that echoes (default: echo)',
  takes: 'channel',
  calls: [
    'org.rpmsg.Channel.Open',
    'org.rpmsg.Endpoint.Subscribe and Send',
    'org.freedesktop.DBus.ObjectManager.GetManagedObjects',
  ],
  options: [
    ...targetOptions,
    { name: 'count', value: 'COUNT', summary: 'end after so many messages' },
    {
      name: 'interval',
      value: 'TIME',
      summary: 'between two of them (default 1s); 0: as soon as the one before is answered',
    },
    { name: 'size', value: 'BYTES', summary: 'of each message (default 56)' },
    { name: 'timeout', value: 'TIME', summary: 'after which an answer is lost (default 2s)' },
    { name: 'quiet', summary: 'print the statistics alone' },
  ],
  details: `A round trip is from the call of Send to the signal that has the answer: it has both ways over the
bus in it. Every answer is compared with what was sent. Goes on through resets of the remote and stops
of the daemon; what is under way then is lost. Ends after COUNT messages, or with Ctrl-C, with
statistics and a histogram; with status 1 if not one came back, or one came back altered.
`,
  run: async (context: CommandContext) => {
    const target = onlyTarget(context, false);
    const { options } = context;
    const settings = {
      count: numberOption(options, 'count', 1, mostCount) ?? Number.POSITIVE_INFINITY,
      intervalMs: timeOption(options, 'interval') ?? usualIntervalMs,
      sizeBytes: numberOption(options, 'size', 0, mostBytes) ?? usualBytes,
      timeoutMs: timeOption(options, 'timeout', 1) ?? usualTimeoutMs,
    };
    const interruption = context.interruption();
    const bus = await context.bus();
    const isNamed = target.name !== undefined || target.path !== undefined;
    const channel = await findChannel(bus, isNamed ? target : { ...target, name: usualChannel });
    const pinger = new Pinger(bus, channel.path, settings, (outcome) => {
      if (options['quiet'] !== true) print(context, outcome, settings.sizeBytes);
    });
    await pingOn(context, bus, { pinger, channel, interruption, ...settings });
    conclude(context, pinger, channel);
  },
};

interface Round {
  readonly pinger: Pinger;
  readonly channel: RemoteObject;
  readonly interruption: AbortSignal;
  readonly count: number;
  readonly intervalMs: number;
}

/** Pings until the count is reached or it is to end. */
async function pingOn(context: CommandContext, bus: Bus, round: Round): Promise<void> {
  const { pinger, interruption } = round;
  const presence = await Presence.watch(bus, (isThere) => {
    context.complain(isThere ? backText : goneText);
    if (!isThere) pinger.loseAll('rpmsgd is gone');
  });
  const path = await pinger.open();
  const watch = await watchEndpoint(
    bus,
    path,
    (line) => context.complain(line),
    () => pinger.loseAll('the remote was reset'),
  );
  const { trips } = pinger;
  const stopProgress =
    context.options['quiet'] === true
      ? showProgress(context, () => `${trips.received} of ${trips.sent} came back so far`)
      : () => {};
  try {
    await untilEnd(context, bus, interruption, sendAll(round, presence));
  } finally {
    stopProgress();
    pinger.stop();
    watch.close();
  }
}

async function sendAll(
  { pinger, interruption, count, intervalMs }: Round,
  presence: Presence,
): Promise<void> {
  for (let sent = 0; sent < count && !interruption.aborted; sent++) {
    const started = performance.now();
    // A call would start a daemon that was stopped.
    if (presence.isThere) pinger.ping();
    else pinger.skip('rpmsgd is gone');
    if (intervalMs === 0) await pinger.idle();
    const isLast = sent + 1 >= count;
    const waitMs = intervalMs === 0 && !presence.isThere ? 100 : intervalMs;
    const leftMs = waitMs - (performance.now() - started);
    if (!isLast && leftMs > 0) {
      await delay(leftMs, undefined, { signal: interruption }).catch(() => {});
    }
  }
  await pinger.idle();
}

function print(context: CommandContext, { seq, src, timeMs, loss }: Outcome, bytes: number): void {
  if (context.json) context.print(jsonLine({ seq, src, time_ms: rounded(timeMs), loss }));
  else if (timeMs === undefined) context.print(`seq=${seq} lost: ${loss}\n`);
  else context.print(`${bytes} bytes from ${src}: seq=${seq} time=${timeMs.toFixed(3)} ms\n`);
}

function rounded(timeMs: number | undefined): number | undefined {
  return timeMs === undefined ? undefined : Number(timeMs.toFixed(3));
}

/** @throws RpmsgctlError if nothing came back, or something else did */
function conclude(context: CommandContext, { trips }: Pinger, channel: RemoteObject): void {
  const { sent, received, lost, altered } = trips;
  const summary = trips.summary();
  const buckets = trips.histogram();
  if (context.json) {
    const times = {
      min_ms: rounded(summary?.minMs),
      mean_ms: rounded(summary?.meanMs),
      max_ms: rounded(summary?.maxMs),
      deviation_ms: rounded(summary?.deviationMs),
    };
    const histogram = buckets.map(({ fromUs, toUs, count }) => {
      return { from_us: fromUs, to_us: toUs, count };
    });
    context.print(jsonLine({ sent, received, lost, altered, ...times, histogram }));
  } else {
    const percent = sent === 0 ? 0 : Math.round((lost / sent) * 100);
    const wrong = altered === 0 ? '' : `, ${altered} altered`;
    const counted = `${sent} messages sent, ${received} received, ${percent}% lost${wrong}`;
    context.print(`--- ${labelOf(channel)} ping statistics ---\n${counted}\n`);
    if (summary !== undefined) {
      const { minMs, meanMs, maxMs, deviationMs } = summary;
      const times = [minMs, meanMs, maxMs, deviationMs].map((ms) => ms.toFixed(3)).join('/');
      context.print(`rtt min/avg/max/mdev = ${times} ms\n`);
      context.print(drawHistogram(buckets, context.terminal.columns));
    }
  }
  if (altered > 0) throw new RpmsgctlError(CliStatus.failure, `${altered} answers were altered`);
  if (sent > 0 && received === 0) throw new RpmsgctlError(CliStatus.failure, 'nothing came back');
}
