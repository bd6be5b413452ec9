// SPDX-License-Identifier: Apache-2.0
// One private endpoint on a channel, used as any D-Bus client would.

import type { Bus } from '../../dbus/index.ts';
import { serviceName } from '../objects.ts';

const endpointInterface = `${serviceName}.Endpoint`;

export class EndpointClient {
  readonly path: string;
  readonly #bus: Bus;

  constructor(bus: Bus, path: string) {
    this.#bus = bus;
    this.path = path;
  }

  /** Opens an endpoint on the channel and hands every message to `received`. */
  static async open(
    bus: Bus,
    channel: string,
    received: (data: Buffer) => void,
  ): Promise<EndpointClient> {
    const options = ['a{sv}', [{}]] as const;
    const [path] = await bus.call(
      serviceName,
      channel,
      `${serviceName}.Channel`,
      'Open',
      ...options,
    );
    const client = new EndpointClient(bus, String(path));
    const rule = { sender: serviceName, path: client.path, interface: endpointInterface };
    await bus.subscribe({ ...rule, member: 'MessageReceived' }, ({ args }) => {
      received(args[4] as Buffer);
    });
    await client.#call('Subscribe', ...options);
    return client;
  }

  async send(data: Buffer): Promise<void> {
    await this.#call('Send', 'ay', [data]);
  }

  async close(): Promise<void> {
    await this.#call('Close');
  }

  #call(member: string, signature = '', args: readonly unknown[] = []): Promise<unknown[]> {
    return this.#bus.call(serviceName, this.path, endpointInterface, member, signature, args);
  }
}
