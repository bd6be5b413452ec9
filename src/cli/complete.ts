// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl complete`, for the shells' completions: the words that a verb's next argument may be, a line
// each, with a tab and a description. Silent where there is no daemon, and it never starts one.

import type { Bus } from '../dbus/index.ts';
import {
  fetchObjects,
  type Kind,
  kindOf,
  nameOf,
  noAddress,
  type RemoteObject,
  serviceName,
  shortPath,
} from './objects.ts';
import { isNamed } from './resolve.ts';
import type { CommandContext, Verb } from './verb.ts';

/** A person waits for the key to do something. */
const patienceMs = 1000;

type Word = readonly [word: string, description: string];

export const complete: Verb = {
  name: 'complete',
  usage: 'remote|channel|endpoint|object|path [REMOTE/VDEV]',
  summary: 'print words for a completion',
  isHidden: true,
  calls: ['org.freedesktop.DBus.ObjectManager.GetManagedObjects'],
  run: async (context: CommandContext) => {
    const [what = '', place = ''] = context.args;
    const timer = setTimeout(() => process.exit(0), patienceMs);
    try {
      const objects = await objectsIfThere(await context.bus());
      const all = wordsFor(what, place, objects).filter(([word]) => isTypeable(word));
      const unique = new Map(all.map(([word, description]) => [word, description]));
      context.print([...unique].map(([word, text]) => `${word}\t${text}\n`).join(''));
    } catch {
      // Nothing to offer.
    } finally {
      clearTimeout(timer);
    }
  },
};

async function objectsIfThere(bus: Bus): Promise<RemoteObject[]> {
  const [isThere] = await bus.callBus('NameHasOwner', 's', [serviceName]);
  return isThere === true ? await fetchObjects(bus) : [];
}

function wordsFor(what: string, place: string, objects: readonly RemoteObject[]): Word[] {
  if (what === 'path') return objects.map((object) => [object.path, kindOf(object)]);
  const kinds = what === 'object' ? ['channel', 'endpoint'] : ['channel', what];
  const isOffered = (object: RemoteObject) => {
    const isWithdrawn = object.interfaces['Channel']?.['RemoteAddress'] === noAddress;
    return kinds.includes(kindOf(object)) && !isWithdrawn;
  };
  const [, remote, index] = /^([^/]+)\/vdev(\d+)$/.exec(place) ?? [];
  if (remote !== undefined) {
    const there = objects.filter((one) => isNamed(one, { remote, vdev: Number(index) }));
    return there.filter(isOffered).map((object) => [nameOf(object), kindOf(object)]);
  }
  const remotes = ofKind(objects, 'remote').map((object): Word => [nameOf(object), 'remote']);
  if (what === 'remote') return remotes;
  const vdevs = ofKind(objects, 'vdev').map((object): Word => [shortPath(object.path), 'vdev']);
  const names = objects.filter(isOffered).map((object): Word => [nameOf(object), kindOf(object)]);
  return [...(what === 'object' ? remotes : []), ...vdevs, ...names];
}

function ofKind(objects: readonly RemoteObject[], kind: Kind): RemoteObject[] {
  return objects.filter((object) => kindOf(object) === kind);
}

/** Names are the remotes' choice: what would make two words of one, or obey, is not offered. */
function isTypeable(word: string): boolean {
  return word !== '' && /^[^\p{C}\s]+$/u.test(word);
}
