// SPDX-License-Identifier: Apache-2.0
// A D-Bus client of the daemon for system tests: the calls of org.rpmsg with their types, and waiting
// for what a test expects.

import {
  type Bus,
  type BusOptions,
  connectBus,
  ReceivedFd,
  Variant,
} from '../../src/dbus/index.ts';

export const SERVICE = 'org.rpmsg';
export const NO_ADDRESS = 0xffffffff;

const WAIT_MS = 20_000;
const CHECK_EACH_MS = 5;

export interface Message {
  readonly seq: bigint;
  readonly src: number;
  readonly generation: number;
  readonly timeNs: bigint;
  readonly data: Buffer;
}

export interface Received {
  readonly messages: readonly Message[];
  readonly dropped: bigint;
}

/** Options of a method: each value with its D-Bus type. */
export type Options = Readonly<Record<string, readonly [type: string, value: unknown]>>;

function message([seq, src, generation, timeNs, data]: readonly unknown[]): Message {
  return { seq, src, generation, timeNs, data } as Message;
}

function variants(options: Options): Record<string, Variant> {
  const entries = Object.entries(options);
  return Object.fromEntries(entries.map(([key, [type, value]]) => [key, new Variant(type, value)]));
}

/** Resolves once `check` yields something other than undefined or false; fails saying `what`. */
export async function until<T>(
  what: string,
  check: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const value = await check();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`${what}: did not come in ${WAIT_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, CHECK_EACH_MS));
  }
}

/** The error that `call` ends with, as "name: message"; fails if it ends without one. */
export async function errorOf(call: Promise<unknown>): Promise<string> {
  const outcome = await call.then(
    (value) => ({ value }),
    (error: { name?: string; message?: string }) => ({ error }),
  );
  if ('error' in outcome) return `${outcome.error.name}: ${outcome.error.message}`;
  throw new Error(`it succeeded: ${JSON.stringify(outcome.value)}`);
}

export function devicePath(remote: string, vdev: number): string {
  return `/org/rpmsg/${remote}/vdev${vdev}`;
}

export function channelPath(remote: string, vdev: number, name: string): string {
  const escaped = name.replace(/[^A-Za-z0-9]/g, (character) => {
    return `_${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `${devicePath(remote, vdev)}/channel_${escaped}`;
}

export class RpmsgEndpoint {
  readonly client: RpmsgClient;
  readonly path: string;

  constructor(client: RpmsgClient, path: string) {
    this.client = client;
    this.path = path;
  }

  call(member: string, signature = '', args: readonly unknown[] = []): Promise<unknown[]> {
    return this.client.call(this.path, 'Endpoint', member, signature, args);
  }

  async send(data: Buffer): Promise<void> {
    await this.call('Send', 'ay', [data]);
  }

  async sendTo(data: Buffer, address: number): Promise<void> {
    await this.call('SendTo', 'ayu', [data, address]);
  }

  async trySend(data: Buffer): Promise<void> {
    await this.call('TrySend', 'ay', [data]);
  }

  async sendBatch(data: readonly Buffer[]): Promise<number> {
    const [count] = await this.call('SendBatch', 'aay', [data]);
    return Number(count);
  }

  async receive(max = 1, timeoutMs = 10_000): Promise<Received> {
    const [messages, dropped] = await this.call('Receive', 'uu', [max, timeoutMs]);
    return { messages: (messages as unknown[][]).map(message), dropped: dropped as bigint };
  }

  /** What the next message carries. */
  async receiveData(): Promise<Buffer> {
    const { messages } = await this.receive();
    const [first] = messages;
    if (first === undefined) throw new Error(`${this.path} received nothing`);
    return first.data;
  }

  /** Hands every message to `received` until the client closes; resolves with the window. */
  async subscribe(
    received: (message: Message) => void,
    options: Options = {},
    overrun: (dropped: bigint) => void = () => {},
  ): Promise<number> {
    const rule = { sender: SERVICE, path: this.path, interface: `${SERVICE}.Endpoint` };
    const hear = (member: string, handler: (args: readonly unknown[]) => void) =>
      this.client.bus.subscribe({ ...rule, member }, ({ args }) => handler(args));
    await hear('MessageReceived', (args) => received(message(args)));
    await hear('Overrun', ([dropped]) => overrun(dropped as bigint));
    const [window] = await this.call('Subscribe', 'a{sv}', [variants(options)]);
    return Number(window);
  }

  async ack(seq: bigint): Promise<void> {
    await this.call('Ack', 't', [seq]);
  }

  /** The socket, which the caller closes, and the most bytes of payload in a packet. */
  async acquireStream(options: Options = {}): Promise<{ fd: number; mtu: number }> {
    const iface = `${SERVICE}.Endpoint`;
    const args = ['AcquireStream', 'a{sv}', [variants(options)], { wantFds: true }] as const;
    const [stream, mtu] = await this.client.bus.call(SERVICE, this.path, iface, ...args);
    if (!(stream instanceof ReceivedFd)) throw new Error('AcquireStream brought no descriptor');
    return { fd: stream.take(), mtu: Number(mtu) };
  }

  async close(): Promise<void> {
    await this.call('Close');
  }

  get(property: string): Promise<unknown> {
    return this.client.get(this.path, 'Endpoint', property);
  }

  stats(): Promise<Record<string, bigint>> {
    return this.get('Stats') as Promise<Record<string, bigint>>;
  }
}

export class RpmsgClient {
  readonly bus: Bus;

  private constructor(bus: Bus) {
    this.bus = bus;
  }

  static async connect(address: string, options: BusOptions = {}): Promise<RpmsgClient> {
    return new RpmsgClient(await connectBus(address, options));
  }

  /** Calls a method of an interface of org.rpmsg, given without that prefix. */
  call(
    path: string,
    iface: string,
    member: string,
    signature = '',
    args: readonly unknown[] = [],
  ): Promise<unknown[]> {
    return this.bus.call(SERVICE, path, `${SERVICE}.${iface}`, member, signature, args);
  }

  get(path: string, iface: string, property: string): Promise<unknown> {
    return this.bus.getProperty(SERVICE, path, `${SERVICE}.${iface}`, property);
  }

  /** Counters of a vdev. */
  deviceStats(path: string): Promise<Record<string, bigint>> {
    return this.get(path, 'Device', 'Stats') as Promise<Record<string, bigint>>;
  }

  /** Paths of all objects there are. */
  async objects(): Promise<string[]> {
    const manager = 'org.freedesktop.DBus.ObjectManager';
    const [objects] = await this.bus.call(SERVICE, '/org/rpmsg', manager, 'GetManagedObjects');
    return Object.keys(objects as object);
  }

  /** An endpoint that is there: a channel's shared one, or one of the configuration. */
  endpoint(path: string): RpmsgEndpoint {
    return new RpmsgEndpoint(this, path);
  }

  /** A private endpoint on a channel. */
  async open(channel: string, options: Options = {}): Promise<RpmsgEndpoint> {
    const [path] = await this.call(channel, 'Channel', 'Open', 'a{sv}', [variants(options)]);
    return this.endpoint(String(path));
  }

  async create(
    device: string,
    src: number,
    dst: number,
    options: Options = {},
    name = 'test',
  ): Promise<RpmsgEndpoint> {
    const args = [name, src, dst, variants(options)];
    const [path] = await this.call(device, 'Device', 'CreateEndpoint', 'suua{sv}', args);
    return this.endpoint(String(path));
  }

  async close(): Promise<void> {
    await this.bus.close();
  }
}
