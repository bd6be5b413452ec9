// SPDX-License-Identifier: Apache-2.0
// The stream of an endpoint in a test's hands: packets as they come, and what its holder is told.

import { PacketSocket } from '../../src/addon/packet-socket.ts';
import { type Options, type RpmsgEndpoint, SERVICE, until } from './rpmsg-client.ts';

export interface Refused {
  readonly count: number;
  readonly size: number;
  readonly reason: string;
}

/** A header of 16 bytes, as clients write and read it with framing "header". */
export function withHeader(destination: number, payload: Buffer, length = payload.length): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(destination, 4);
  header.writeUInt16LE(length, 12);
  return Buffer.concat([header, payload]);
}

/** More than a message has, so that what is too long can be sent. */
const maxPacketBytes = 4096;

export class ClientStream {
  readonly endpoint: RpmsgEndpoint;
  readonly mtu: number;
  readonly socket: PacketSocket;
  readonly packets: Buffer[] = [];
  readonly overruns: number[] = [];
  readonly refused: Refused[] = [];
  hasEnded = false;

  private constructor(endpoint: RpmsgEndpoint, fd: number, mtu: number, hasEmpty: boolean) {
    this.endpoint = endpoint;
    this.mtu = mtu;
    this.socket = new PacketSocket(fd, { maxPacketBytes, hasEmptyPackets: hasEmpty });
    // EPIPE and ECONNRESET say of writing what 'end' says of reading.
    this.socket.on('error', () => {});
    this.socket.once('end', () => {
      this.hasEnded = true;
    });
    this.socket.once('close', () => {
      this.hasEnded = true;
    });
  }

  /** `reads`: from now on; otherwise nothing is taken out of the socket until read(). */
  static async acquire(
    endpoint: RpmsgEndpoint,
    options: Options = {},
    reads = true,
  ): Promise<ClientStream> {
    const told: [string, readonly unknown[]][] = [];
    let tell = (member: string, args: readonly unknown[]): void => {
      told.push([member, args]);
    };
    const rule = { sender: SERVICE, path: endpoint.path, interface: `${SERVICE}.Endpoint` };
    for (const member of ['Overrun', 'PacketRefused']) {
      const heard = ({ args }: { args: readonly unknown[] }) => tell(member, args);
      await endpoint.client.bus.subscribe({ ...rule, member }, heard);
    }
    const { fd, mtu } = await endpoint.acquireStream(options);
    const hasEmpty = options['zero_length']?.[1] === true;
    const stream = new ClientStream(endpoint, fd, mtu, hasEmpty);
    tell = (member, args) => stream.#tell(member, args);
    for (const [member, args] of told) tell(member, args);
    if (reads) stream.read();
    return stream;
  }

  read(): void {
    this.socket.on('data', (packet: Buffer) => this.packets.push(packet));
  }

  send(data: Buffer | string): void {
    this.socket.write(Buffer.from(data));
  }

  /** Resolves with all that have come once there are `count`. */
  async received(count: number): Promise<Buffer[]> {
    await until(`${count} packets`, () => this.packets.length >= count || this.hasEnded);
    if (this.packets.length < count) throw new Error(`it ended after ${this.packets.length}`);
    return this.packets;
  }

  async texts(count: number): Promise<string[]> {
    return (await this.received(count)).map(String);
  }

  async ended(): Promise<void> {
    await until('the end of the stream', () => this.hasEnded);
  }

  /** Sends one packet and waits for it to come back. */
  async echo(text: string): Promise<void> {
    const before = this.packets.length;
    this.send(text);
    const all = await this.received(before + 1);
    if (String(all.at(-1)) !== text) throw new Error(`"${text}" came back as "${all.at(-1)}"`);
  }

  close(): void {
    this.socket.destroy();
  }

  #tell(member: string, args: readonly unknown[]): void {
    if (member === 'Overrun') {
      this.overruns.push(Number(args[0]));
    } else {
      const [count, size, reason] = args as [number, number, string];
      this.refused.push({ count, size, reason });
    }
  }
}
