// SPDX-License-Identifier: Apache-2.0
// The way to one subscriber: unicast signals, and a ping that says whether it reads them.

import type { Logger } from '../../remote/context.ts';
import type { StreamPort } from '../../remote/stream.ts';
import type { SubscriberPort } from '../../remote/subscriber.ts';
import { type Bus, BusError, ErrorName } from '../index.ts';
import { endpointInterface, messageFields } from './endpoint.ts';
import type { Tree } from './publisher.ts';

export type BusCalls = Pick<Bus, 'call'>;

/** How long an answer is waited for. A client that is stopped is asked again after that. */
const pingTimeoutMs = 60_000;

/** Errors that the client itself, or its library, has answered with: so it has read the ping. */
const ownAnswers: ReadonlySet<string> = new Set([
  ErrorName.unknownMethod,
  ErrorName.unknownObject,
  ErrorName.unknownInterface,
]);

export function subscriberPort(
  { tree, bus, log }: { tree: Tree; bus: BusCalls; log: Logger },
  path: string,
  sender: string,
): SubscriberPort {
  const emit = (member: string, args: readonly unknown[]) =>
    tree.emitSignal(path, endpointInterface.name, member, args, sender);
  return {
    message: (message) => emit('MessageReceived', messageFields(message)),
    overrun: (dropped) => emit('Overrun', [dropped]),
    ping: () => ping(bus, log, sender),
  };
}

/** The way to whoever holds a stream. One that left the bus, or never was on this one, is not told. */
export function streamPort(tree: Tree, path: string, sender: string): StreamPort {
  const emit = (member: string, args: readonly unknown[]) =>
    tree.emitSignal(path, endpointInterface.name, member, args, sender);
  return {
    overrun: (dropped) => emit('Overrun', [dropped]),
    refused: (count, bytes, reason) => emit('PacketRefused', [count, bytes, reason]),
  };
}

async function ping(bus: BusCalls, log: Logger, sender: string): Promise<boolean> {
  try {
    const options = { timeoutMs: pingTimeoutMs };
    await bus.call(sender, '/', 'org.freedesktop.DBus.Peer', 'Ping', '', [], options);
    return true;
  } catch (error) {
    if (error instanceof BusError && ownAnswers.has(error.name)) return true;
    log.debug({ client: sender, err: error }, 'a subscriber did not answer Ping');
    return false;
  }
}
