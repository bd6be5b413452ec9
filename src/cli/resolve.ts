// SPDX-License-Identifier: Apache-2.0
// A target found among the daemon's objects, or an error that says what is there instead.

import type { Bus } from '../dbus/index.ts';
import { nearest } from '../util/nearest.ts';
import { CliStatus, RpmsgctlError } from './errors.ts';
import {
  elementOf,
  fetchObjects,
  type Kind,
  kindOf,
  nameOf,
  noAddress,
  placeOf,
  type RemoteObject,
  rootPath,
  shortPath,
} from './objects.ts';
import { usage } from './options.ts';
import { placeText, type Target } from './target.ts';
import { quoted } from './terminal.ts';

/**
 * The one object that a target names. Of kinds the earlier one is preferred, of several channels with
 * one name on one vdev the first that the remote announced.
 * @throws RpmsgctlError naming the part that is not there and what may be meant, or the candidates
 */
export function resolve(
  objects: readonly RemoteObject[],
  target: Target,
  kinds: readonly [Kind, ...Kind[]],
): RemoteObject {
  if (target.path !== undefined) return atPath(objects, target.path, kinds);
  const place = within(objects, target);
  const { name } = target;
  if (name === undefined) return unnamed(place, target, kinds);
  for (const kind of kinds) {
    const matches = matching(place, target, kind);
    if (matches.length > 0) return single(matches, name);
  }
  const there = place.filter((object) => kinds.includes(kindOf(object)) && isPresent(object));
  throw absent(
    `${placeText(target) || 'the daemon'} has no ${kinds[0]} ${quoted(name)}`,
    name,
    there.map(nameOf),
  );
}

/** The announced channel that a target names. */
export async function findChannel(bus: Bus, target: Target): Promise<RemoteObject> {
  return resolve(await fetchObjects(bus), target, ['channel']);
}

/** The endpoint that a target names, which may be a channel's shared one. */
export async function findEndpoint(bus: Bus, target: Target): Promise<RemoteObject> {
  return resolve(await fetchObjects(bus), target, ['channel', 'endpoint']);
}

/** Whether an object is what a target names, as far as it names anything. */
export function isNamed(object: RemoteObject, target: Target): boolean {
  if (target.path !== undefined) return object.path === target.path;
  const { remote, vdev } = placeOf(object.path);
  if (target.vdev !== undefined && vdev !== target.vdev) return false;
  if (target.remote !== undefined && nameBehind(remote ?? '') !== target.remote) return false;
  if (target.name === undefined) return true;
  return nameOf(object) === target.name || elementOf(object.path) === target.name;
}

/** The name behind an element of a path: the reverse of sd_bus_path_encode(3). */
export function nameBehind(element: string): string {
  const bytes = element.replaceAll(/_([0-9a-f]{2})/g, (_, digits: string) => {
    return String.fromCharCode(Number.parseInt(digits, 16));
  });
  return element === '_' ? '' : Buffer.from(bytes, 'latin1').toString('utf8');
}

function atPath(objects: readonly RemoteObject[], path: string, kinds: readonly Kind[]) {
  const isWanted = (object: RemoteObject) =>
    kinds.includes(kindOf(object)) ||
    (kinds.includes('endpoint') && object.interfaces['Endpoint'] !== undefined);
  const found = objects.find((object) => object.path === path);
  if (found !== undefined && isWanted(found)) return found;
  const noun = kinds.at(-1);
  const reason =
    found === undefined ? 'there is no object' : `there is no ${noun}, but another object,`;
  const there = objects.filter(isWanted).map((object) => object.path);
  throw absent(`${reason} at ${path}`, path, there);
}

/** Those of the remote and vdev that are named. @throws RpmsgctlError if there is no such place */
function within(objects: readonly RemoteObject[], { remote, vdev }: Target): RemoteObject[] {
  if (remote === undefined) {
    return objects.filter(({ path }) => vdev === undefined || placeOf(path).vdev === vdev);
  }
  const remotes = objects.filter((object) => kindOf(object) === 'remote');
  const found = remotes.find((object) => nameOf(object) === remote);
  if (found === undefined) {
    throw absent(`the daemon has no remote ${quoted(remote)}`, remote, remotes.map(nameOf));
  }
  const own = objects.filter(({ path }) => path === found.path || isBelow(found.path, path));
  const vdevs = own.filter((object) => kindOf(object) === 'vdev').map(nameOf);
  if (vdev !== undefined && !vdevs.includes(`vdev${vdev}`)) {
    throw absent(`${remote} has no vdev${vdev}`, `vdev${vdev}`, vdevs);
  }
  return own.filter(({ path }) => vdev === undefined || placeOf(path).vdev === vdev);
}

/** Only a place was named: it is the remote or vdev itself. */
function unnamed(place: RemoteObject[], target: Target, kinds: readonly Kind[]): RemoteObject {
  const kind: Kind = target.vdev === undefined ? 'remote' : 'vdev';
  if (!kinds.includes(kind)) throw usage(`the name of a ${kinds[0]} is missing`);
  const found = place.filter((object) => kindOf(object) === kind);
  if (found.length === 0) {
    throw new RpmsgctlError(CliStatus.failure, `the daemon has no ${kind} of that kind`);
  }
  return single(found, kind);
}

function matching(place: readonly RemoteObject[], { name }: Target, kind: Kind): RemoteObject[] {
  const ofKind = place.filter((object) => kindOf(object) === kind && isPresent(object));
  const named = ofKind.filter((object) => nameOf(object) === name);
  return named.length > 0 ? named : ofKind.filter(({ path }) => elementOf(path) === name);
}

/** A channel that was withdrawn is an object still, and nothing one can talk to. */
function isPresent(object: RemoteObject): boolean {
  return object.interfaces['Channel']?.['RemoteAddress'] !== noAddress;
}

/** @throws RpmsgctlError naming the candidates if there are several places */
function single(matches: readonly RemoteObject[], name: string): RemoteObject {
  const [first] = matches as [RemoteObject];
  const parent = ({ path }: RemoteObject) => path.slice(0, path.lastIndexOf('/'));
  const isChannel = kindOf(first) === 'channel';
  if (matches.length === 1) return first;
  if (isChannel && matches.every((match) => parent(match) === parent(first))) return first;
  const candidates = matches.map((match) => (isChannel ? shortPath(parent(match)) : match.path));
  throw usage(`which ${quoted(name)}? there are ${candidates.join(', ')}`);
}

/** Names that a remote chose are quoted: a terminal must not obey them. */
function absent(sentence: string, name: string, there: readonly string[]): RpmsgctlError {
  const guess = nearest(name, [...there]);
  const meant = guess === undefined ? '' : `; did you mean ${quoted(guess)}?`;
  const advice = there.length === 0 ? '; there is none' : '; rpmsgctl list shows what there is';
  return new RpmsgctlError(CliStatus.failure, `${sentence}${meant === '' ? advice : meant}`);
}

function isBelow(parent: string, path: string): boolean {
  return path.startsWith(`${parent}/`) && path !== rootPath;
}
