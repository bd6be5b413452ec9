// SPDX-License-Identifier: Apache-2.0
// The messages of every endpoint that the caller may subscribe to, as they come and go.

import { type Bus, BusError, type ReceivedSignal } from '../../dbus/index.ts';
import { Endpoint, endpointInterface } from '../endpoint.ts';
import { nameOf, type RemoteObject, serviceName } from '../objects.ts';
import { describePayload } from '../payload/describe.ts';
import { jsonMessage, messageOf } from '../payload/print.ts';
import { labelOf } from '../terminal.ts';
import { type Event, namedEvent } from './events.ts';
import type { LiveObjects } from './objects.ts';

const busy = `${serviceName}.Error.Busy`;
const gone = [`${serviceName}.Error.NoSuchAddress`, 'org.freedesktop.DBus.Error.UnknownObject'];

/**
 * Subscribes to all that are nobody's own and to those to come, and calls `happened` with what comes;
 * `tell` gets a line for each that refuses.
 */
export async function overhear(
  bus: Bus,
  live: LiveObjects,
  isOf: (object: RemoteObject) => boolean,
  happened: (event: Event) => void,
  tell: (line: string) => void,
): Promise<void> {
  live.on('signal', (signal: ReceivedSignal) => {
    const object = live.get(signal.path);
    if (signal.interface !== endpointInterface || object === undefined) return;
    if (signal.member === 'MessageReceived') happened(messageEvent(object, signal.args));
    if (signal.member === 'Overrun') happened(overrunEvent(object, signal.args));
  });
  const subscribe = async (object: RemoteObject) => {
    const isShared = object.interfaces['Endpoint']?.['Owner'] === '';
    if (!isShared || !isOf(object)) return;
    try {
      await new Endpoint(bus, object.path).subscribeAgain('auto');
    } catch (error) {
      // Subscribed before a restart of the daemon; or closed at once.
      const isExpected = error instanceof BusError && [busy, ...gone].includes(error.name);
      if (!isExpected && live.isThere) {
        tell(`no messages of ${labelOf(object)}: ${(error as Error).message}`);
      }
    }
  };
  const subscribeAll = () => Promise.all(live.all.map(subscribe));
  live.on('appeared', (object: RemoteObject) => void subscribe(object));
  live.on('back', () => void subscribeAll());
  await subscribeAll();
}

function messageEvent(object: RemoteObject, args: readonly unknown[]): Event {
  const message = messageOf(args);
  const name = nameOf(object);
  const text = `#${message.seq} from ${message.src}, ${describePayload(name, message.data)}`;
  return namedEvent('message', object, text, { name, ...jsonMessage(message, name) });
}

function overrunEvent(object: RemoteObject, [dropped]: readonly unknown[]): Event {
  const text = `${dropped} messages were lost: they were not read in time`;
  return namedEvent('overrun', object, text, { dropped });
}
