// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl wait`: until an object is in a state.

import { CliStatus, RpmsgctlError } from './errors.ts';
import { jsonDocument } from './json.ts';
import { LiveObjects } from './live/objects.ts';
import { tellOfLives } from './live/tell.ts';
import { untilEnd } from './live/until.ts';
import { type Kind, kindOf, noAddress, type RemoteObject, shortPath } from './objects.ts';
import { choiceOption, timeOption, usage } from './options.ts';
import { isNamed } from './resolve.ts';
import { isEmpty, onlyTarget, placeText, type Target, targetOptions } from './target.ts';
import { quoted } from './terminal.ts';
import type { CommandContext, Verb } from './verb.ts';

const states = [
  'ready',
  ...(['attached', 'waiting', 'quiescing', 'offline', 'up', 'offered', 'down', 'faulted'] as const),
  ...(['announced', 'withdrawn', 'connected', 'disconnected', 'streaming', 'there'] as const),
  'gone',
] as const;

type State = (typeof states)[number];

export const wait: Verb = {
  name: 'wait',
  usage: 'REMOTE[/VDEV] | [REMOTE/VDEV] NAME | PATH',
  summary: 'wait for a channel, or for a state of an object',
  takes: 'object',
  calls: ['org.freedesktop.DBus.ObjectManager.GetManagedObjects', 'and its signals'],
  options: [
    ...targetOptions,
    { name: 'state', value: 'STATE', summary: 'wait for this (default ready)' },
    { name: 'timeout', value: 'TIME', summary: 'no longer than this (default: for ever)' },
  ],
  details: `States of a remote are attached, waiting, quiescing, down, faulted and offline, of a vdev up, offered,
down and faulted, of a channel announced and withdrawn, of it and an endpoint connected, disconnected
and streaming, of all there and gone. ready is attached, up, announced and connected, connected.

What is named need not be there yet. Of several that a name fits the first in the state counts. Goes
on when the daemon is stopped, and waits for it to come back. Exit status 75 if time was over.
`,
  run: async (context: CommandContext) => {
    const target = onlyTarget(context, false);
    if (isEmpty(target)) throw usage('wait takes what is waited for, as cm40 or cm40/vdev0 echo');
    const state = choiceOption(context.options, 'state', states);
    const timeoutMs = timeOption(context.options, 'timeout');
    const interruption = context.interruption();
    const bus = await context.bus();
    const live = await LiveObjects.open(bus);
    tellOfLives(live, context.complain);
    const started = performance.now();
    const what = `${describe(target)} is ${state}`;
    if (context.terminal.isTerminal) context.complain(`waiting until ${what}`);
    const met = untilMet(live, target, state).then((path) => ({ path }));
    const work = Promise.race([met, over(timeoutMs)]);
    const end = await untilEnd(context, bus, interruption, work);
    if (end === 'over') {
      const now = statesOf(live, target);
      throw new RpmsgctlError(CliStatus.timedOut, `time was over before ${what}: ${now}`);
    }
    if (end === undefined || !context.json) return;
    const tookMs = Math.round(performance.now() - started);
    context.print(jsonDocument({ object: end.path ?? null, state, took_ms: tookMs }));
  },
};

function over(timeoutMs: number | undefined): Promise<'over'> {
  return new Promise((resolve) => {
    // The timer must not keep a process alive whose wait is over.
    if (timeoutMs !== undefined) setTimeout(() => resolve('over'), timeoutMs).unref();
  });
}

/** Resolves with the path of the object that is in the state, undefined if it is to be gone. */
function untilMet(live: LiveObjects, target: Target, state: State): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const check = () => {
      const there = live.isThere ? named(live, target) : [];
      if (state === 'gone') {
        if (there.length === 0) resolve(undefined);
        return;
      }
      const met = there.find((object) => isIn(object, state));
      if (met !== undefined) resolve(met.path);
    };
    for (const event of ['appeared', 'vanished', 'changed', 'back', 'gone']) live.on(event, check);
    live.on('error', reject);
    check();
  });
}

/** A place alone is its remote or vdev, and not what is below. */
function named(live: LiveObjects, target: Target): RemoteObject[] {
  const kind: Kind | undefined =
    target.path !== undefined || target.name !== undefined
      ? undefined
      : target.vdev === undefined
        ? 'remote'
        : 'vdev';
  return live.all.filter((object) => {
    return isNamed(object, target) && (kind === undefined || kindOf(object) === kind);
  });
}

function isIn(object: RemoteObject, state: State): boolean {
  const { Remote, Device, Channel, Endpoint } = object.interfaces;
  const own = (Remote ?? Device)?.['State'];
  const isAnnounced = Channel !== undefined && Channel['RemoteAddress'] !== noAddress;
  const isConnected = Endpoint?.['Connected'] === true;
  switch (state) {
    case 'there':
      return true;
    case 'ready':
      if (own !== undefined) return own === 'attached' || own === 'up';
      return isConnected && (Channel === undefined || isAnnounced);
    case 'announced':
      return isAnnounced;
    case 'withdrawn':
      return Channel !== undefined && !isAnnounced;
    case 'connected':
      return isConnected;
    case 'disconnected':
      return Endpoint !== undefined && !isConnected;
    case 'streaming':
      return Endpoint?.['Streaming'] === true;
    default:
      return own === state;
  }
}

function describe(target: Target): string {
  const { path, name } = target;
  if (path !== undefined) return path;
  const text = placeText(target);
  if (name === undefined) return text;
  return text === '' ? quoted(name) : `${text} ${quoted(name)}`;
}

/** How things are instead. */
function statesOf(live: LiveObjects, target: Target): string {
  if (!live.isThere) return 'rpmsgd is not running on this bus';
  const there = named(live, target);
  if (there.length === 0) return 'there is no such object';
  const texts = there.map((object) => `${shortPath(object.path)} is ${stateText(object)}`);
  return texts.join(', ');
}

function stateText(object: RemoteObject): string {
  const { Remote, Device } = object.interfaces;
  const own = (Remote ?? Device)?.['State'];
  if (own !== undefined) return String(own);
  if (isIn(object, 'withdrawn')) return 'withdrawn';
  return isIn(object, 'connected') ? 'connected' : 'disconnected';
}
