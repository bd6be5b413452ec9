// SPDX-License-Identifier: Apache-2.0
// Counters as sentences. Trouble that never was needs no line.

import type { Line } from './describe.ts';

type Stats = Readonly<Record<string, bigint>>;

/** What each counter of trouble means; dbus/*.xml has the words in full. */
const deviceTroubles: Readonly<Record<string, string>> = {
  rx_drops: 'messages dropped as their queue was full',
  rx_no_endpoint: 'messages to an address where nobody is',
  rx_malformed: 'messages whose header contradicts their size',
  rx_faults: "violations of the receive ring's rules",
  tx_waits: 'sends that had to wait for a buffer',
  tx_timeouts: 'sends that waited for a buffer in vain',
  tx_faults: "violations of the transmit ring's rules",
  names_malformed: 'messages to the name service that are none of its own',
  names_duplicate: 'announcements of a channel that was there',
  names_unknown: 'withdrawals of a channel that was not there',
  names_refused: 'announcements beyond limit channels_per_device',
  names_stale: "announcements of the remote's former life",
};

const endpointTroubles: Readonly<Record<string, string>> = {
  rx_drops: 'messages dropped as the queue was full',
  rx_overruns: 'messages that a subscriber did not get',
  tx_unreported: 'sends that failed and nobody was told',
  rx_foreign: "messages of others than a stream's peer",
  rx_empty: 'empty messages not put into a stream',
  tx_refused: 'packets of a stream that were refused',
  tx_discarded: 'packets of a stream lost by a reset or fault',
};

export function deviceTraffic(stats: unknown): readonly Line[] {
  const counters = (stats ?? {}) as Stats;
  return [
    ['Received', `${traffic(counters, 'rx')}, ${counters['rx_kicks'] ?? 0} kicks`],
    ['Sent', `${traffic(counters, 'tx')}, ${counters['tx_kicks'] ?? 0} kicks`],
    ['Queued', `${queued(counters)}, ${counters['tx_waiting'] ?? 0} sends wait for a buffer`],
    ['In the ring', `${counters['tx_unused'] ?? 0} messages that the remote has not used yet`],
    ...troubles(counters, deviceTroubles),
  ];
}

export function endpointTraffic(stats: unknown): readonly Line[] {
  const counters = (stats ?? {}) as Stats;
  return [
    ['Received', traffic(counters, 'rx')],
    ['Sent', traffic(counters, 'tx')],
    ['Queued', `${queued(counters)}, ${counters['tx_waiting'] ?? 0} sends wait for a buffer`],
    ...troubles(counters, endpointTroubles),
  ];
}

function traffic(stats: Stats, direction: 'rx' | 'tx'): string {
  const messages = stats[`${direction}_messages`] ?? 0n;
  const bytes = stats[`${direction}_bytes`] ?? 0n;
  return `${messages} message${messages === 1n ? '' : 's'}, ${byteText(Number(bytes))}`;
}

function queued(stats: Stats): string {
  const messages = stats['rx_queued'] ?? 0n;
  return `${messages} message${messages === 1n ? '' : 's'} to be received`;
}

function troubles(stats: Stats, meanings: Readonly<Record<string, string>>): readonly Line[] {
  const happened = Object.entries(meanings).filter(([key]) => (stats[key] ?? 0n) > 0n);
  return happened.map(([key, meaning], index) => {
    return [index === 0 ? 'Trouble' : '', `${stats[key]} ${meaning} (${key})`];
  });
}

/** In the unit that leaves one to four digits. */
export function byteText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
