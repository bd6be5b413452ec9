// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl list`: remotes, vdevs, channels and endpoints, and how they are.

import { jsonDocument } from './json.ts';
import {
  elementOf,
  fetchObjects,
  noAddress,
  type Properties,
  type RemoteObject,
  rootPath,
  shortPath,
} from './objects.ts';
import { quoted, stateColour, type Terminal } from './terminal.ts';
import type { CommandContext, Verb } from './verb.ts';

export const list: Verb = {
  name: 'list',
  usage: '',
  summary: 'show remotes, vdevs, channels and endpoints',
  calls: ['org.freedesktop.DBus.ObjectManager.GetManagedObjects'],
  run: async (context: CommandContext) => {
    const objects = (await fetchObjects(await context.bus())).filter(
      ({ path }) => path !== rootPath,
    );
    if (context.json) context.print(jsonDocument(objects));
    else if (objects.length === 0) context.print('no remote is configured\n');
    else context.print(table(objects, context.terminal));
  },
};

const gap = '  ';
const leastColumns = 12;

function table(objects: readonly RemoteObject[], terminal: Terminal): string {
  const rows = objects.map((object) => {
    const depth = shortPath(object.path).split('/').length - 1;
    return [`${'  '.repeat(depth)}${elementOf(object.path)}`, object] as const;
  });
  const texts = rows.map(([, { interfaces }]) => describe(interfaces));
  const room = terminal.columns - Math.max(...texts.map(({ length }) => length)) - gap.length;
  const longest = Math.max(...rows.map(([name]) => name.length));
  // Elements of paths are cut first: the names that they stand for follow.
  const width = terminal.isTerminal ? Math.min(longest, Math.max(leastColumns, room)) : longest;
  const lines = rows.map(([name, { interfaces }], index) => {
    const line = terminal.fit(terminal.fit(name, width).padEnd(width) + gap + texts[index]);
    return `${painted(line, interfaces, terminal)}\n`;
  });
  return lines.join('');
}

/** The state in its colour: it is the third word of a line about something that has one. */
function painted(line: string, interfaces: RemoteObject['interfaces'], terminal: Terminal): string {
  const state = (interfaces['Remote'] ?? interfaces['Device'])?.['State'];
  if (state === undefined) return line;
  return line.replace(/^(\s*\S+\s+\S+ )(\w+)/, (_, before: string, word: string) => {
    return before + terminal.paint(stateColour(String(state)), word);
  });
}

function describe(interfaces: RemoteObject['interfaces']): string {
  const { Remote, Device, Channel, Endpoint } = interfaces;
  if (Remote) return `remote ${text(Remote, 'State')}, generation ${text(Remote, 'Generation')}`;
  if (Device) return `vdev ${text(Device, 'State')}, ${text(Device, 'Mtu')} bytes a message`;
  if (Channel) return `channel ${quoted(text(Channel, 'Name'))}${address(Channel, Endpoint ?? {})}`;
  if (Endpoint) return `endpoint ${quoted(text(Endpoint, 'Name'))}${route(Endpoint)}`;
  return Object.keys(interfaces).join(', ');
}

function address(channel: Properties, endpoint: Properties): string {
  const remote = channel['RemoteAddress'];
  const terminal = (channel['Tty'] ?? '') === '' ? '' : `, terminal ${channel['Tty']}`;
  if (remote === noAddress) return `, withdrawn${terminal}`;
  return `, remote address ${remote}${condition(endpoint)}${terminal}`;
}

function route(endpoint: Properties): string {
  const remote = endpoint['RemoteAddress'] === noAddress ? 'none' : text(endpoint, 'RemoteAddress');
  const owner = text(endpoint, 'Owner');
  const whose = owner === '' ? '' : `, owner ${owner}`;
  return `, ${text(endpoint, 'LocalAddress')} to ${remote}${whose}${condition(endpoint)}`;
}

/** What is not as it usually is. */
function condition(endpoint: Properties): string {
  const connected = endpoint['Connected'] === false ? ', not connected' : '';
  return endpoint['Streaming'] === true ? `${connected}, streaming` : connected;
}

function text(properties: Properties, name: string): string {
  return String(properties[name] ?? '?');
}
