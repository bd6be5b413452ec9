// SPDX-License-Identifier: Apache-2.0
// What happens to an endpoint while somebody uses it, in sentences.

import type { Bus, Subscription, Variant } from '../../dbus/index.ts';
import { placeOf, rootPath, serviceName } from '../objects.ts';

const managerInterface = 'org.freedesktop.DBus.ObjectManager';
const propertiesInterface = 'org.freedesktop.DBus.Properties';
const endpointInterface = `${serviceName}.Endpoint`;

export interface EndpointWatch {
  /** Aborts when the endpoint is closed, whoever did it. */
  readonly closed: AbortSignal;
  /** Aborts at the first reset of the remote; its reason is a sentence. */
  readonly reset: AbortSignal;
  close(): void;
}

/** Tells, from when it resolves on, of resets and of what is lost, a line each; `wasReset` of each reset. */
export async function watchEndpoint(
  bus: Bus,
  path: string,
  tell: (line: string) => void,
  wasReset: () => void = () => {},
): Promise<EndpointWatch> {
  const { remote = '' } = placeOf(path);
  const closed = new AbortController();
  const reset = new AbortController();
  const subscriptions: Subscription[] = [];
  const hear = async (
    at: string,
    iface: string,
    member: string,
    handler: (args: readonly unknown[]) => void,
  ) => {
    const rule = { sender: serviceName, path: at, interface: iface, member };
    subscriptions.push(await bus.subscribe(rule, ({ args }) => handler(args)));
  };
  let isReset = false;
  await hear(`${rootPath}/${remote}`, `${serviceName}.Remote`, 'ResetNotified', ([, cause]) => {
    isReset = true;
    tell(`${remote} is reset (${cause}): nothing is sent until it is back`);
    wasReset();
    reset.abort(`${remote} was reset (${cause})`);
  });
  await hear(path, propertiesInterface, 'PropertiesChanged', ([iface, changed]) => {
    const properties = changed as Readonly<Record<string, Variant>>;
    if (iface !== endpointInterface || properties['Connected']?.value !== true || !isReset) return;
    isReset = false;
    tell(`${remote} is back`);
  });
  await hear(path, endpointInterface, 'Overrun', ([dropped]) => {
    tell(`${count(dropped)} lost: not read in time`);
  });
  await hear(path, endpointInterface, 'PacketRefused', ([refused, sizeBytes, reason]) => {
    tell(`${count(refused)} not sent (the last had ${sizeBytes} bytes): ${reason}`);
  });
  await hear(rootPath, managerInterface, 'InterfacesRemoved', ([gone]) => {
    if (gone === path) closed.abort();
  });
  return {
    closed: closed.signal,
    reset: reset.signal,
    close: () => {
      for (const subscription of subscriptions) subscription.close();
    },
  };
}

/** "1 message was", "2 messages were". */
export function count(messages: unknown): string {
  return Number(messages) === 1 ? '1 message was' : `${messages} messages were`;
}
