// SPDX-License-Identifier: Apache-2.0
// Counters of many objects at one moment, and what they did between two.

import { type Bus, BusError } from '../../dbus/index.ts';
import { kindOf, type RemoteObject, serviceName } from '../objects.ts';

export type Stats = Readonly<Record<string, bigint>>;

export interface Sample {
  readonly timeMs: number;
  readonly stats: ReadonlyMap<string, Stats>;
}

/** What one object did in one interval. */
export interface Activity {
  readonly object: RemoteObject;
  /** Messages and bytes a second. */
  readonly rxMessages: number;
  readonly rxBytes: number;
  readonly txMessages: number;
  readonly txBytes: number;
  /** Messages that were lost, in any way that is counted. */
  readonly drops: number;
  /** Sends that had to wait for a buffer; undefined of an endpoint. */
  readonly waits: number | undefined;
  /** What is there now: see Stats of the interface. */
  readonly now: Stats;
}

/** One client should have no more than 64 calls in flight. */
const callsAtOnce = 32;

const lossKeys = [
  ...['rx_drops', 'rx_no_endpoint', 'rx_malformed', 'rx_faults', 'rx_overruns', 'rx_foreign'],
  ...['rx_empty', 'tx_timeouts', 'tx_faults', 'tx_unreported', 'tx_refused', 'tx_discarded'],
];

/** Objects that are gone by then are left out. @throws BusError if the daemon is */
export async function takeSample(bus: Bus, objects: readonly RemoteObject[]): Promise<Sample> {
  const stats = new Map<string, Stats>();
  for (let at = 0; at < objects.length; at += callsAtOnce) {
    const some = objects.slice(at, at + callsAtOnce);
    await Promise.all(
      some.map(async (object) => {
        const one = await statsOf(bus, object);
        if (one !== undefined) stats.set(object.path, one);
      }),
    );
  }
  return { timeMs: performance.now(), stats };
}

async function statsOf(bus: Bus, object: RemoteObject): Promise<Stats | undefined> {
  const iface = `${serviceName}.${kindOf(object) === 'vdev' ? 'Device' : 'Endpoint'}`;
  try {
    return (await bus.getProperty(serviceName, object.path, iface, 'Stats')) as Stats;
  } catch (error) {
    const isGone =
      error instanceof BusError && error.name === 'org.freedesktop.DBus.Error.UnknownObject';
    if (isGone) return undefined;
    throw error;
  }
}

/** Of those that are in both samples. A counter that is lower than before began anew. */
export function activities(
  objects: readonly RemoteObject[],
  before: Sample,
  after: Sample,
): Activity[] {
  const seconds = (after.timeMs - before.timeMs) / 1000;
  return objects.flatMap((object) => {
    const old = before.stats.get(object.path);
    const now = after.stats.get(object.path);
    if (old === undefined || now === undefined) return [];
    const grown = (key: string) => {
      const value = now[key] ?? 0n;
      const base = old[key] ?? 0n;
      return Number(value >= base ? value - base : value);
    };
    const activity: Activity = {
      object,
      rxMessages: grown('rx_messages') / seconds,
      rxBytes: grown('rx_bytes') / seconds,
      txMessages: grown('tx_messages') / seconds,
      txBytes: grown('tx_bytes') / seconds,
      drops: lossKeys.reduce((sum, key) => sum + grown(key), 0),
      waits: now['tx_waits'] === undefined ? undefined : grown('tx_waits'),
      now,
    };
    return [activity];
  });
}
