// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl top`: live rates of vdevs and endpoints.

import { setTimeout as delay } from 'node:timers/promises';
import { type Bus, BusError } from '../dbus/index.ts';
import { jsonLine } from './json.ts';
import { LiveObjects } from './live/objects.ts';
import { tellOfLives } from './live/tell.ts';
import { untilEnd } from './live/until.ts';
import { kindOf, type RemoteObject } from './objects.ts';
import { numberOption, timeOption } from './options.ts';
import { isNamed, resolve } from './resolve.ts';
import { isEmpty, onlyTarget, type Target, targetOptions } from './target.ts';
import { type Activity, activities, type Sample, takeSample } from './top/sample.ts';
import { activityTable } from './top/table.ts';
import type { CommandContext, Verb } from './verb.ts';

const usualIntervalMs = 1000;
const leastIntervalMs = 100;
const mostTables = 1_000_000_000;
const kinds = ['vdev', 'remote', 'channel', 'endpoint'] as const;

export const top: Verb = {
  name: 'top',
  usage: '[REMOTE[/VDEV] [NAME]]',
  summary: 'show live rates, queues, credits and drops, until interrupted',
  takes: 'object',
  calls: [
    'org.freedesktop.DBus.Properties.Get (Stats)',
    'org.freedesktop.DBus.ObjectManager.GetManagedObjects',
  ],
  options: [
    ...targetOptions,
    { name: 'interval', value: 'TIME', summary: 'between two tables (default 1s)' },
    { name: 'count', value: 'COUNT', summary: 'end after so many tables' },
    { name: 'endpoints', summary: 'each endpoint below its vdev, too' },
  ],
  details: `On a terminal one table that is drawn again and again, in a pipe one after the other, with --json an
object a line for each interval. RX is from the remote, TX to it, in messages and bytes of payload a
second. DROPS are messages lost in any way in that interval, WAITS sends that had to wait for a buffer,
QUEUED messages that wait to be received now, RING those of the buffers to the remote that it has not
used yet: as many as are left may be sent at once.
Goes on when the daemon is stopped. Ctrl-C ends it with status 0 and a sum.
`,
  run: async (context: CommandContext) => {
    const target = placeOfTarget(onlyTarget(context, false));
    const intervalMs = timeOption(context.options, 'interval', leastIntervalMs) ?? usualIntervalMs;
    const count = numberOption(context.options, 'count', 1, mostTables) ?? Number.POSITIVE_INFINITY;
    const interruption = context.interruption();
    const bus = await context.bus();
    const live = await LiveObjects.open(bus);
    if (live.isThere && !isEmpty(target)) resolve(live.all, target, kinds);
    tellOfLives(live, context.complain);
    const shown = () => live.all.filter((object) => isShown(object, target, context));
    const totals = { received: 0, sent: 0, drops: 0 };
    const show = (seen: readonly Activity[], seconds: number) => {
      add(totals, seen, seconds);
      draw(context, seen);
    };
    const failed = new Promise<never>((_, reject) => live.on('error', reject));
    const watching = watch(bus, live, { shown, show, count, intervalMs, interruption });
    await untilEnd(context, bus, interruption, Promise.race([watching, failed]));
    const { received, sent, drops } = totals;
    context.complain(`${received} messages received, ${sent} sent, ${drops} dropped`);
  },
};

/** A word alone is a remote here: rates are of places. */
function placeOfTarget(target: Target): Target {
  if (target.name === undefined || target.remote !== undefined) return target;
  const { name, ...others } = target;
  return { ...others, remote: name };
}

function isShown(object: RemoteObject, target: Target, { options }: CommandContext): boolean {
  const kind = kindOf(object);
  const isEndpoint = kind === 'channel' || kind === 'endpoint';
  const areWanted = options['endpoints'] === true || target.name !== undefined;
  return isNamed(object, target) && (kind === 'vdev' || (isEndpoint && areWanted));
}

interface Watching {
  readonly shown: () => RemoteObject[];
  readonly show: (seen: readonly Activity[], seconds: number) => void;
  readonly count: number;
  readonly intervalMs: number;
  readonly interruption: AbortSignal;
}

async function watch(bus: Bus, live: LiveObjects, watching: Watching): Promise<void> {
  const { shown, show, count, intervalMs, interruption } = watching;
  let before: Sample | undefined;
  for (let tables = 0; tables < count && !interruption.aborted; ) {
    const after = live.isThere ? await sampleIfThere(bus, live, shown()) : undefined;
    if (before !== undefined && after !== undefined) {
      show(activities(shown(), before, after), (after.timeMs - before.timeMs) / 1000);
      tables++;
    }
    before = after;
    if (tables < count) {
      await delay(intervalMs, undefined, { signal: interruption }).catch(() => {});
    }
  }
}

/** Undefined if the daemon has just gone. */
async function sampleIfThere(
  bus: Bus,
  live: LiveObjects,
  objects: readonly RemoteObject[],
): Promise<Sample | undefined> {
  try {
    return await takeSample(bus, objects);
  } catch (error) {
    if (error instanceof BusError && !live.isThere) return undefined;
    throw error;
  }
}

/** Vdevs alone: what their endpoints did is in them. */
function add(
  totals: { received: number; sent: number; drops: number },
  seen: readonly Activity[],
  seconds: number,
): void {
  for (const { object, rxMessages, txMessages, drops } of seen) {
    if (kindOf(object) !== 'vdev') continue;
    totals.received += Math.round(rxMessages * seconds);
    totals.sent += Math.round(txMessages * seconds);
    totals.drops += drops;
  }
}

const clearScreen = '\u001b[H\u001b[2J';

function draw({ json, terminal, print }: CommandContext, seen: readonly Activity[]): void {
  if (json) {
    const objects = seen.map(({ object, now, ...activity }) => {
      return { object: object.path, ...jsonActivity(activity), stats: now };
    });
    print(jsonLine({ time: new Date().toISOString(), objects }));
  } else if (terminal.isTerminal) {
    const lines = activityTable(seen, terminal)
      .split('\n')
      .slice(0, terminal.rows - 1);
    print(`${clearScreen}${lines.join('\n')}`);
  } else print(`${activityTable(seen, terminal)}\n`);
}

function jsonActivity(activity: Omit<Activity, 'object' | 'now'>) {
  const rounded = (value: number) => Number(value.toFixed(1));
  return {
    rx_messages_per_s: rounded(activity.rxMessages),
    rx_bytes_per_s: rounded(activity.rxBytes),
    tx_messages_per_s: rounded(activity.txMessages),
    tx_bytes_per_s: rounded(activity.txBytes),
    drops: activity.drops,
    waits: activity.waits,
  };
}
