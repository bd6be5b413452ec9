// SPDX-License-Identifier: Apache-2.0
// What a person names on the command line, found among the daemon's objects: a channel by its remote,
// vdev and name, or any object by its path.

import type { Bus } from '../dbus/index.ts';
import { nearest } from '../util/nearest.ts';
import { CliStatus, RpmsgctlError } from './errors.ts';
import { fetchObjects, noAddress, type RemoteObject } from './objects.ts';
import { usage } from './options.ts';

/** For the usage lines of verbs that take a channel by name. */
export const channelUsage = 'REMOTE/VDEV CHANNEL';

export interface ChannelTarget {
  /** Of the channel's object, and of its vdev's. */
  readonly path: string;
  readonly device: string;
  readonly name: string;
  readonly remoteAddress: number;
}

/**
 * The announced channel that two words name, `cm40/vdev0` and `echo`. Of several with the same name it
 * is the first.
 * @throws RpmsgctlError naming the part that is not there, and what is
 */
export async function findChannel(bus: Bus, place: string, name: string): Promise<ChannelTarget> {
  const [, remoteName, vdev] = /^([^/]+)\/(vdev\d+)$/.exec(place) ?? [];
  if (remoteName === undefined || vdev === undefined) {
    throw usage(`${JSON.stringify(place)} is no REMOTE/VDEV, as cm40/vdev0 is one`);
  }
  const objects = await fetchObjects(bus);
  const remotes = objects.filter(({ interfaces }) => interfaces['Remote'] !== undefined);
  const remote = pick(remotes, 'Remote', remoteName, 'remote', 'the daemon');
  const devices = objects.filter(({ path }) => isChild(remote.path, path));
  const device = devices.find(({ path }) => path === `${remote.path}/${vdev}`);
  if (device === undefined) {
    const there = devices.map(({ path }) => path.slice(remote.path.length + 1));
    throw absent(`${remoteName} has no ${vdev}`, vdev, there);
  }
  const channels = objects.filter(({ path, interfaces }) => {
    return isChild(device.path, path) && interfaces['Channel'] !== undefined;
  });
  const announced = channels.filter((channel) => addressOf(channel) !== noAddress);
  const channel = pick(announced, 'Channel', name, 'channel', place);
  return { path: channel.path, device: device.path, name, remoteAddress: addressOf(channel) };
}

/** The endpoint at a path, which may be that of a channel. @throws RpmsgctlError if there is none */
export async function checkEndpoint(bus: Bus, path: string): Promise<void> {
  const objects = await fetchObjects(bus);
  const found = objects.find((object) => object.path === path);
  if (found?.interfaces['Endpoint'] !== undefined) return;
  const endpoints = objects.filter(({ interfaces }) => interfaces['Endpoint'] !== undefined);
  const reason =
    found === undefined ? 'there is no object' : 'there is no endpoint, but another object,';
  throw absent(
    `${reason} at ${path}`,
    path,
    endpoints.map((object) => object.path),
  );
}

function pick(
  objects: readonly RemoteObject[],
  iface: string,
  name: string,
  kind: string,
  place: string,
): RemoteObject {
  const nameOf = ({ interfaces }: RemoteObject) => String(interfaces[iface]?.['Name']);
  const found = objects.find((object) => nameOf(object) === name);
  if (found !== undefined) return found;
  throw absent(`${place} has no ${kind} ${JSON.stringify(name)}`, name, objects.map(nameOf));
}

/** Names that a remote chose are quoted: a terminal must not obey them. */
function absent(sentence: string, name: string, there: readonly string[]): RpmsgctlError {
  const guess = nearest(name, [...there]);
  const meant = guess === undefined ? '' : `; did you mean ${JSON.stringify(guess)}?`;
  const advice = there.length === 0 ? '; there is none' : '; rpmsgctl list shows what there is';
  return new RpmsgctlError(CliStatus.failure, `${sentence}${meant === '' ? advice : meant}`);
}

function isChild(parent: string, path: string): boolean {
  return path.startsWith(`${parent}/`) && !path.slice(parent.length + 1).includes('/');
}

function addressOf({ interfaces }: RemoteObject): number {
  return Number(interfaces['Channel']?.['RemoteAddress'] ?? noAddress);
}
