// SPDX-License-Identifier: Apache-2.0
// What happens to the daemon's objects, as events with a sentence each.

import type { ReceivedSignal } from '../../dbus/index.ts';
import { kindOf, nameOf, noAddress, type RemoteObject, shortPath } from '../objects.ts';
import { harmless, labelOf, quoted } from '../terminal.ts';
import type { Change, LiveObjects } from './objects.ts';

export interface Event {
  /** One word, stable: what kind of event it is. */
  readonly event: string;
  /** Path of the object that it is about. */
  readonly object: string;
  /** The object and what it did, for a person. */
  readonly text: string;
  /** What JSON has beside these. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** Calls `happened` with every event of every object, until the bus is gone. */
export function watchEvents(live: LiveObjects, happened: (event: Event) => void): void {
  const root = '/org/rpmsg';
  live.on('gone', () => happened(event('daemon-gone', root, 'is gone', {})));
  live.on('back', () => happened(event('daemon-back', root, 'is there', {})));
  live.on('appeared', (object: RemoteObject) => {
    if (live.isThere) happened(appeared(object));
  });
  live.on('vanished', (object: RemoteObject) => {
    const details = { kind: kindOf(object), name: nameOf(object) };
    happened(namedEvent('vanished', object, `${kindOf(object)} is gone`, details));
  });
  live.on('changed', (change: Change) => {
    const told = changed(change);
    if (told !== undefined) happened(told);
  });
  live.on('signal', (signal: ReceivedSignal) => {
    const told = signals[signal.member]?.(signal);
    if (told !== undefined) happened(told);
  });
}

function event(
  name: string,
  object: string,
  text: string,
  details: Readonly<Record<string, unknown>>,
): Event {
  return { event: name, object, text: `${shortPath(object)}  ${text}`, details };
}

/** About a channel or an endpoint, which a person knows by its name. */
export function namedEvent(
  name: string,
  object: RemoteObject,
  text: string,
  details: Readonly<Record<string, unknown>>,
): Event {
  return { event: name, object: object.path, text: `${labelOf(object)}  ${text}`, details };
}

function appeared(object: RemoteObject): Event {
  const kind = kindOf(object);
  const { Endpoint, Channel } = object.interfaces;
  const details = { kind, name: nameOf(object), owner: Endpoint?.['Owner'] };
  const owner = Endpoint?.['Owner'];
  const whose = Channel === undefined && owner ? `, owner ${owner}` : '';
  const to = addressText(Endpoint?.['RemoteAddress']);
  const route = Endpoint === undefined ? '' : `, ${Endpoint['LocalAddress']} to ${to}`;
  return namedEvent('appeared', object, `${kind} is there${route}${whose}`, details);
}

/** Told by a signal of its own, or of no interest by itself. */
const untold = new Set(['ResetCount', 'LastReset', 'Generation']);
/** Of a channel: that it is announced and withdrawn is told, and its vdev's state. */
const untoldOfChannel = new Set(['RemoteAddress', 'Connected']);

function changed({ object, property, from, to }: Change): Event | undefined {
  const isOfChannel = kindOf(object) === 'channel';
  if (untold.has(property) || (isOfChannel && untoldOfChannel.has(property))) return undefined;
  const details = { property, from, to };
  const of = (name: string, text: string) => namedEvent(name, object, text, details);
  switch (property) {
    case 'State':
      return of('state', `state ${from} -> ${to}`);
    case 'Connected':
      return of('connected', to === true ? 'connected' : 'not connected');
    case 'Streaming':
      return of('streaming', to === true ? 'a stream is held' : 'no stream is held');
    case 'RemoteAddress':
      return of('address', `remote address ${addressText(from)} -> ${addressText(to)}`);
    default:
      return of('changed', `${property} ${valueText(from)} -> ${valueText(to)}`);
  }
}

const signals: Readonly<Record<string, (signal: ReceivedSignal) => Event>> = {
  ResetNotified: ({ path, args: [generation, cause] }) => {
    const text = `reset noticed (${cause}): generation ${generation} ends`;
    return event('reset', path, text, { generation, cause });
  },
  Ready: ({ path, args: [generation, evidence] }) => {
    const text = `ready (${evidence}): generation ${generation} begins`;
    return event('ready', path, text, { generation, evidence });
  },
  Faulted: ({ path, args: [generation, reason] }) => {
    const text = `faulted in generation ${generation}: ${harmless(String(reason))}`;
    return event('faulted', path, text, { generation, reason });
  },
  ChannelAnnounced: ({ path, args: [name, address, channel] }) => {
    const text = `channel ${quoted(String(name))} announced at address ${address}`;
    return event('announced', path, text, { name, address, channel });
  },
  ChannelWithdrawn: ({ path, args: [name, address, channel] }) => {
    const text = `channel ${quoted(String(name))} withdrawn from address ${address}`;
    return event('withdrawn', path, text, { name, address, channel });
  },
};

function addressText(address: unknown): string {
  return address === noAddress ? 'none' : String(address);
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? quoted(value) : JSON.stringify(value);
}
