// SPDX-License-Identifier: Apache-2.0
// An endpoint: sends, receives, and hears what happens to it.

import { PacketSocket } from '../addon/packet-socket.ts';
import { type Bus, ReceivedFd } from '../dbus/index.ts';
import type * as api from './api.d.ts';
import { BusObject } from './bus-object.ts';
import { messageOf, messagesOf } from './messages.ts';
import { objectManager, rootPath, rpmsgError, variants } from './names.ts';
import { inTime } from './wait.ts';

const headerBytes = 16;

export class Endpoint extends BusObject implements api.Endpoint {
  readonly #isOwn: boolean;
  #mtu = 0;
  #isConnected = false;
  #isClosed = false;

  private constructor(bus: Bus, path: string, isOwn: boolean) {
    super(bus, path, 'Endpoint');
    this.#isOwn = isOwn;
  }

  /** Heard from before it is read, so that no change is missed. */
  static async watch(bus: Bus, path: string, isOwn: boolean): Promise<Endpoint> {
    const endpoint = new Endpoint(bus, path, isOwn);
    await endpoint.hearProperties(({ Connected }) => endpoint.#connected(Connected?.value));
    await endpoint.hear('Overrun', ([dropped]) => endpoint.emit('overrun', dropped));
    await endpoint.hear('PacketRefused', ([count, sizeBytes, reason]) => {
      endpoint.emit('refused', { count, sizeBytes, reason });
    });
    const manager = { path: rootPath, iface: objectManager };
    const removed = ([gone]: readonly unknown[]) => {
      if (gone === path) endpoint.#closed();
    };
    await endpoint.hear('InterfacesRemoved', removed, manager);
    endpoint.#mtu = Number(await endpoint.get('Mtu'));
    endpoint.#isConnected = (await endpoint.get('Connected')) === true;
    return endpoint;
  }

  get mtu(): number {
    return this.#mtu;
  }

  get connected(): boolean {
    return this.#isConnected;
  }

  async send(data: Uint8Array): Promise<void> {
    await this.call('Send', 'ay', [bytesOf(data)]);
  }

  async trySend(data: Uint8Array): Promise<void> {
    await this.call('TrySend', 'ay', [bytesOf(data)]);
  }

  async sendTo(data: Uint8Array, address: number): Promise<void> {
    await this.call('SendTo', 'ayu', [bytesOf(data), address]);
  }

  async sendBatch(data: readonly Uint8Array[]): Promise<number> {
    const [count] = await this.call('SendBatch', 'aay', [data.map(bytesOf)]);
    return Number(count);
  }

  async receive({ max = 1, timeoutMs = 1000 }: api.ReceiveOptions = {}): Promise<api.Received> {
    const [messages, dropped] = await this.call('Receive', 'uu', [max, timeoutMs]);
    const all = messages as readonly (readonly unknown[])[];
    return { messages: all.map(messageOf), dropped: dropped as bigint };
  }

  messages(options: api.MessagesOptions = {}): AsyncGenerator<api.Message, void, void> {
    return messagesOf(this.bus, this, options);
  }

  async stream(options: api.StreamOptions = {}): Promise<api.EndpointStream> {
    const { mode, hold, framing = 'payload', zeroLength = false, onReset } = options;
    const asked = variants({
      mode: ['s', mode],
      hold: ['u', hold],
      framing: ['s', framing],
      zero_length: ['b', zeroLength],
      on_reset: ['s', onReset],
    });
    if (!this.bus.canPassFds) {
      throw rpmsgError('NotSupported', 'this bus passes no descriptors, which a stream is');
    }
    const [socket, mtu] = await this.call('AcquireStream', 'a{sv}', [asked], { wantFds: true });
    if (!(socket instanceof ReceivedFd)) {
      throw rpmsgError('NotSupported', 'the answer of AcquireStream brought no descriptor');
    }
    return new PacketSocket(socket.take(), {
      maxPacketBytes: Number(mtu) + (framing === 'header' ? headerBytes : 0),
      hasEmptyPackets: zeroLength,
    });
  }

  async stats(): Promise<Readonly<Record<string, bigint>>> {
    return (await this.get('Stats')) as Record<string, bigint>;
  }

  async close(): Promise<void> {
    if (this.#isOwn && !this.#isClosed) await this.call('Close');
    this.#closed();
  }

  async whenConnected({ timeoutMs = 10_000 }: api.WaitOptions = {}): Promise<void> {
    if (this.#isConnected) return;
    let check = (_connected: boolean): void => {};
    const connected = new Promise<void>((resolve) => {
      check = (isConnected) => {
        if (isConnected) resolve();
      };
    });
    this.on('connected', check);
    try {
      await inTime(connected, timeoutMs, `${this.path} is not connected`);
    } finally {
      this.off('connected', check);
    }
  }

  #connected(value: unknown): void {
    if (typeof value !== 'boolean' || value === this.#isConnected) return;
    this.#isConnected = value;
    this.emit('connected', value);
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.stopHearing();
    this.#connected(false);
    this.emit('closed');
  }
}

/** D-Bus carries Buffers. */
function bytesOf(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
