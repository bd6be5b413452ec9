// SPDX-License-Identifier: Apache-2.0
// What objects did in an interval, as a table.

import { kindOf, nameOf, type RemoteObject, shortPath } from '../objects.ts';
import { quoted, type Terminal } from '../terminal.ts';
import type { Activity } from './sample.ts';

interface Column {
  readonly title: string;
  readonly text: (activity: Activity) => string;
}

const columns: readonly Column[] = [
  { title: 'OBJECT', text: ({ object }) => label(object) },
  { title: 'STATE', text: ({ object }) => stateOf(object) },
  { title: 'RX/s', text: ({ rxMessages }) => rate(rxMessages) },
  { title: 'RX B/s', text: ({ rxBytes }) => rate(rxBytes) },
  { title: 'TX/s', text: ({ txMessages }) => rate(txMessages) },
  { title: 'TX B/s', text: ({ txBytes }) => rate(txBytes) },
  { title: 'DROPS', text: ({ drops }) => String(drops) },
  { title: 'WAITS', text: ({ waits }) => (waits === undefined ? '-' : String(waits)) },
  { title: 'QUEUED', text: ({ now }) => String(now['rx_queued'] ?? '-') },
  { title: 'RING', text: ringText },
];

/** The first two columns are text; numbers are under each other. */
const textColumns = 2;

export function activityTable(activities: readonly Activity[], terminal: Terminal): string {
  const rows = [
    columns.map(({ title }) => title),
    ...activities.map((activity) => columns.map(({ text }) => text(activity))),
  ];
  const widths = columns.map((_, index) => {
    return Math.max(...rows.map((row) => row[index]?.length ?? 0));
  });
  const lines = rows.map((row, number) => {
    const cells = row.map((cell, index) => {
      const width = widths[index] ?? 0;
      return index < textColumns ? cell.padEnd(width) : cell.padStart(width);
    });
    const line = terminal.fit(cells.join('  ').trimEnd());
    if (number === 0) return terminal.paint('bold', line);
    return (activities[number - 1]?.drops ?? 0) > 0 ? terminal.paint('red', line) : line;
  });
  return lines.map((line) => `${line}\n`).join('');
}

function label(object: RemoteObject): string {
  if (kindOf(object) === 'vdev') return shortPath(object.path);
  const name = kindOf(object) === 'channel' ? quoted(nameOf(object)) : shortPath(object.path);
  return `  ${kindOf(object) === 'channel' ? name : name.slice(name.lastIndexOf('/') + 1)}`;
}

function stateOf({ interfaces }: RemoteObject): string {
  const { Device, Endpoint } = interfaces;
  if (Device) return String(Device['State']);
  if (Endpoint?.['Streaming'] === true) return 'streaming';
  return Endpoint?.['Connected'] === true ? 'connected' : '-';
}

/** How many of the buffers the remote has: what is left is what may be sent at once. */
function ringText({ now, object }: Activity): string {
  const unused = now['tx_unused'];
  return unused === undefined ? '-' : `${unused}/${object.interfaces['Device']?.['BufferCount']}`;
}

/** Four digits are enough to see what goes on. */
function rate(perSecond: number): string {
  if (perSecond < 10) return perSecond === 0 ? '0' : perSecond.toFixed(1);
  if (perSecond < 10_000) return String(Math.round(perSecond));
  const thousands = perSecond / 1000;
  return thousands < 10_000 ? `${Math.round(thousands)}k` : `${Math.round(thousands / 1000)}M`;
}
