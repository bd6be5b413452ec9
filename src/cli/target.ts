// SPDX-License-Identifier: Apache-2.0
// What a person names on the command line: a remote, a vdev, a channel or an endpoint, by its place and
// name, by its name alone, or by its path.

import { rootPath } from './objects.ts';
import { numberOption, usage } from './options.ts';
import type { CommandContext, VerbOption } from './verb.ts';

/** For the usage lines of verbs. */
export const channelUsage = '[REMOTE/VDEV] CHANNEL';
export const endpointUsage = '[REMOTE/VDEV] NAME | PATH';

export const targetOptions: readonly VerbOption[] = [
  { name: 'remote', value: 'REMOTE', summary: 'what is named is of this remote' },
  { name: 'vdev', value: 'INDEX', summary: 'what is named is of the vdev with this index' },
];

/** As it was named; nothing of it has been looked up. */
export interface Target {
  readonly path?: string;
  /** Name of a remote. */
  readonly remote?: string;
  readonly vdev?: number;
  readonly name?: string;
}

const longestIndex = 99;

/**
 * Takes the words that name an object off the front of the arguments: a path, `cm40/vdev0` with or
 * without a name after it, or a name alone.
 * @returns the target, which is empty if there are no words and no options, and the other words
 * @throws RpmsgctlError if a place is given twice
 */
export function takeTarget(
  { args, options }: CommandContext,
  isNameNeeded = true,
): { target: Target; rest: readonly string[] } {
  const remote = options['remote'];
  const vdev = numberOption(options, 'vdev', 0, longestIndex);
  const given: Target = {
    ...(typeof remote === 'string' ? { remote } : {}),
    ...(vdev === undefined ? {} : { vdev }),
  };
  const [first, second, ...rest] = args;
  if (first === undefined) return { target: given, rest: [] };
  const others = args.slice(1);
  if (first.startsWith('/')) return { target: { ...given, path: pathOf(first) }, rest: others };
  const [, place, index] = /^([^/]+)\/vdev(\d{1,2})$/.exec(first) ?? [];
  if (place === undefined) return { target: { ...given, name: first }, rest: others };
  if (given.remote !== undefined || given.vdev !== undefined) {
    const option = given.remote === undefined ? '--vdev' : '--remote';
    throw usage(`${JSON.stringify(first)} names a vdev, so ${option} means nothing`);
  }
  const target = { remote: place, vdev: Number(index) };
  if (second !== undefined) return { target: { ...target, name: second }, rest };
  if (isNameNeeded) throw usage(`a name is missing after ${first}, as in cm40/vdev0 echo`);
  return { target, rest: [] };
}

/** The same for a verb that takes a target and nothing else. */
export function onlyTarget(context: CommandContext, isNameNeeded = true): Target {
  const { target, rest } = takeTarget(context, isNameNeeded);
  if (rest.length === 0) return target;
  const first = JSON.stringify(context.args[0]);
  if (target.name !== undefined && target.remote === undefined) {
    throw usage(`${first} is no REMOTE/VDEV, as cm40/vdev0 is one`);
  }
  throw usage(`${JSON.stringify(rest[0])} means nothing after what is named`);
}

/** Whether anything is named at all. */
export function isEmpty(target: Target): boolean {
  return Object.keys(target).length === 0;
}

/** `cm40/vdev0`, as far as a place is named. */
export function placeText({ remote, vdev }: Target): string {
  const place = [remote, vdev === undefined ? undefined : `vdev${vdev}`];
  return place.filter((part) => part !== undefined).join('/');
}

function pathOf(word: string): string {
  const path = word.replace(/(?<=.)\/$/, '');
  if (path === rootPath || path.startsWith(`${rootPath}/`)) return path;
  throw usage(`${JSON.stringify(word)} is no path below ${rootPath}`);
}
