// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl list`: remotes, vdevs, channels and endpoints, and how they are.

import {
  fetchObjects,
  noAddress,
  type Properties,
  type RemoteObject,
  rootPath,
} from './objects.ts';
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
    if (context.json) context.print(`${JSON.stringify(objects, jsonValue, 2)}\n`);
    else context.print(objects.length === 0 ? 'no remote is configured\n' : table(objects));
  },
};

/** 64-bit counters are text: JSON readers round numbers above 2^53. Names' bytes are a list. */
function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  const buffer = value as { type?: unknown; data?: unknown } | null;
  return typeof buffer === 'object' && buffer?.type === 'Buffer' ? buffer.data : value;
}

function table(objects: readonly RemoteObject[]): string {
  const rows = objects.map((object) => {
    const depth = object.path.slice(rootPath.length + 1).split('/').length - 1;
    const name = object.path.slice(object.path.lastIndexOf('/') + 1);
    return [`${'  '.repeat(depth)}${name}`, describe(object.interfaces)] as const;
  });
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('');
}

function describe(interfaces: RemoteObject['interfaces']): string {
  const { Remote, Device, Channel, Endpoint } = interfaces;
  if (Remote) return `remote ${text(Remote, 'State')}, generation ${text(Remote, 'Generation')}`;
  if (Device) return `vdev ${text(Device, 'State')}, ${text(Device, 'Mtu')} bytes a message`;
  if (Channel) return `channel ${printable(text(Channel, 'Name'))}${address(Channel)}`;
  if (Endpoint) return `endpoint ${printable(text(Endpoint, 'Name'))}${route(Endpoint)}`;
  return Object.keys(interfaces).join(', ');
}

function address(channel: Properties): string {
  const remote = channel['RemoteAddress'];
  return remote === noAddress ? ', withdrawn' : `, remote address ${remote}`;
}

function route(endpoint: Properties): string {
  const remote = endpoint['RemoteAddress'] === noAddress ? 'none' : text(endpoint, 'RemoteAddress');
  const owner = text(endpoint, 'Owner');
  return `, ${text(endpoint, 'LocalAddress')} to ${remote}${owner === '' ? '' : `, owner ${owner}`}`;
}

function text(properties: Properties, name: string): string {
  return String(properties[name] ?? '?');
}

/** A remote chooses these names; a terminal must not obey them. */
function printable(name: string): string {
  const quoted = JSON.stringify(name);
  return quoted.replaceAll(/[\u007f-\u009f]/g, (code) => {
    return `\\u${code.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
