// SPDX-License-Identifier: Apache-2.0
// One object's properties as lines for a person: a heading, and titles right-aligned before a colon.

import {
  elementOf,
  type Kind,
  kindOf,
  nameOf,
  noAddress,
  type Properties,
  type RemoteObject,
  shortPath,
} from '../objects.ts';
import { harmless, quoted, stateColour, type Terminal } from '../terminal.ts';
import { deviceTraffic, endpointTraffic } from './traffic.ts';

/** Title and text; a text that is undefined has no line. */
export type Line = readonly [title: string, text: string | undefined];

const indent = 12;

export function describeObject(
  object: RemoteObject,
  all: readonly RemoteObject[],
  terminal: Terminal,
): string {
  const kind = kindOf(object);
  const state = stateOf(object);
  const dot = terminal.paint(state === undefined ? 'bold' : stateColour(state), '●');
  const title = kind === 'manager' ? 'rpmsgd' : shortPath(object.path);
  const lines = describers[kind](object, all).flatMap(([name, text]) => {
    if (text === undefined) return [];
    const isState = name === 'State' && state !== undefined;
    const shown = isState ? text.replace(state, terminal.paint(stateColour(state), state)) : text;
    return [`${name.padStart(indent)}: ${shown}\n`];
  });
  return `${dot} ${terminal.paint('bold', title)}${kind === 'manager' ? '' : `, ${kind}`}\n${lines.join('')}`;
}

const describers: Readonly<
  Record<Kind, (object: RemoteObject, all: readonly RemoteObject[]) => readonly Line[]>
> = {
  manager: describeManager,
  remote: describeRemote,
  vdev: describeDevice,
  channel: describeChannel,
  endpoint: ({ interfaces }) => describeEndpoint(interfaces['Endpoint'] ?? {}),
};

function stateOf({ interfaces }: RemoteObject): string | undefined {
  const { Remote, Device, Channel, Endpoint } = interfaces;
  const state = (Remote ?? Device)?.['State'];
  if (state !== undefined) return String(state);
  if (Channel) return Channel['RemoteAddress'] === noAddress ? 'withdrawn' : 'announced';
  if (Endpoint) return Endpoint['Connected'] === true ? 'connected' : 'not connected';
  return undefined;
}

function describeManager(manager: RemoteObject, all: readonly RemoteObject[]): readonly Line[] {
  const properties = manager.interfaces['Manager'] ?? {};
  const limits = Object.entries((properties['Limits'] ?? {}) as Properties);
  const remotes = all.filter((object) => kindOf(object) === 'remote');
  const states = remotes.map((remote) => `${quotedName(remote)} ${stateOf(remote)}`);
  return [
    ['Version', text(properties, 'Version')],
    ['Remotes', states.join(', ') || 'none is configured'],
    ['Objects', countKinds(all)],
    ['Features', ((properties['Features'] ?? []) as string[]).join(', ')],
    ...limits.map(
      ([name, value], index): Line => [index === 0 ? 'Limits' : '', `${name} ${value}`],
    ),
  ];
}

function countKinds(all: readonly RemoteObject[]): string {
  const numberOf = (kind: Kind) => all.filter((object) => kindOf(object) === kind).length;
  const kinds = ['vdev', 'channel', 'endpoint'] as const;
  return kinds
    .map((kind) => `${numberOf(kind)} ${kind}${numberOf(kind) === 1 ? '' : 's'}`)
    .join(', ');
}

function describeRemote(remote: RemoteObject, all: readonly RemoteObject[]): readonly Line[] {
  const properties = remote.interfaces['Remote'] ?? {};
  const partition = properties['Partition'];
  const error = text(properties, 'LastError') ?? '';
  const vdevs = all.filter((object) => {
    return kindOf(object) === 'vdev' && object.path.startsWith(`${remote.path}/`);
  });
  return [
    ['State', text(properties, 'State')],
    ['Generation', `${text(properties, 'Generation')}, ${resets(properties['ResetCount'])}`],
    ['Last reset', lastReset(properties['LastReset'])],
    ['Last error', error === '' ? undefined : harmless(error)],
    ['Partition', partition === -1 ? 'not known' : String(partition)],
    ['Platform', text(properties, 'Platform')],
    ['Vdevs', vdevs.map((vdev) => `${elementOf(vdev.path)} ${stateOf(vdev)}`).join(', ')],
  ];
}

function resets(count: unknown): string {
  return count === 1 ? '1 reset' : `${count} resets`;
}

function lastReset(value: unknown): string | undefined {
  const [timeUs, cause] = (value ?? [0n, '']) as [bigint, string];
  if (timeUs === 0n) return undefined;
  return `${new Date(Number(timeUs / 1000n)).toISOString()}, ${cause}`;
}

function describeDevice(device: RemoteObject, all: readonly RemoteObject[]): readonly Line[] {
  const properties = device.interfaces['Device'] ?? {};
  const below = all.filter(({ path }) => path.startsWith(`${device.path}/`));
  const channels = below.filter((object) => kindOf(object) === 'channel');
  const names = channels.map((channel) => {
    return `${quotedName(channel)}${stateOf(channel) === 'withdrawn' ? ' (withdrawn)' : ''}`;
  });
  const endpoints = below.filter((object) => kindOf(object) === 'endpoint');
  return [
    ['State', text(properties, 'State')],
    ['Status', virtioStatus(Number(properties['Status']))],
    [
      'Buffers',
      `${text(properties, 'BufferCount')} each way, ${text(properties, 'Mtu')} bytes of payload`,
    ],
    ['Channels', names.join(', ') || 'none'],
    [
      'Endpoints',
      endpoints.map(({ path }) => elementOf(path)).join(', ') || 'none besides those of channels',
    ],
    ...deviceTraffic(properties['Stats']),
  ];
}

/** Bits of the virtio status byte (virtio 1.2, 2.1). */
const statusBits: readonly (readonly [bit: number, name: string])[] = [
  [1, 'ACKNOWLEDGE'],
  [2, 'DRIVER'],
  [4, 'DRIVER_OK'],
  [8, 'FEATURES_OK'],
  [64, 'DEVICE_NEEDS_RESET'],
  [128, 'FAILED'],
];

function virtioStatus(value: number): string {
  const names = statusBits.filter(([bit]) => (value & bit) !== 0).map(([, name]) => name);
  const hex = `0x${value.toString(16).padStart(2, '0')}`;
  return names.length === 0 ? hex : `${hex} (${names.join(', ')})`;
}

function describeChannel({ interfaces }: RemoteObject): readonly Line[] {
  const channel = interfaces['Channel'] ?? {};
  const isWithdrawn = channel['RemoteAddress'] === noAddress;
  const endpoint = interfaces['Endpoint'] ?? {};
  return [
    ['State', isWithdrawn ? 'withdrawn' : 'announced'],
    ['Terminal', text(channel, 'Tty') || undefined],
    ...describeEndpoint(endpoint).filter(([title]) => title !== 'State'),
  ];
}

function describeEndpoint(endpoint: Properties): readonly Line[] {
  const owner = text(endpoint, 'Owner') ?? '';
  const connected = endpoint['Connected'] === true ? 'connected' : 'not connected';
  const streaming = endpoint['Streaming'] === true ? ', a stream is held' : '';
  return [
    ['Name', quoted(text(endpoint, 'Name') ?? '')],
    ['State', `${connected}${streaming}`],
    ['Addresses', `${text(endpoint, 'LocalAddress')} here, ${addressText(endpoint)} there`],
    ['Owner', owner === '' ? 'nobody: shared' : owner],
    ['Lives on', endpoint['Persistent'] === true ? 'without its creator' : undefined],
    ['Messages', `${text(endpoint, 'Mtu')} bytes of payload at most`],
    ...endpointTraffic(endpoint['Stats']),
  ];
}

function addressText(endpoint: Properties): string {
  const address = endpoint['RemoteAddress'];
  return address === noAddress ? 'none' : String(address);
}

function quotedName(object: RemoteObject): string {
  const name = nameOf(object);
  return /^[\w.-]+$/.test(name) ? name : quoted(name);
}

function text(properties: Properties, name: string): string | undefined {
  const value = properties[name];
  return value === undefined ? undefined : String(value);
}
