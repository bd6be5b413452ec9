// SPDX-License-Identifier: Apache-2.0
// A way to a bus that passes no descriptors: bytes are forwarded, and the offer to pass descriptors is
// refused, as it is behind a pipe or a network.

import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const offer = 'NEGOTIATE_UNIX_FD\r\n';
/** What no bus understands: it answers ERROR, in its turn. */
const noOffer = 'NEGOTIATE_NOTHING\r\n';

export class PlainBus {
  readonly address: string;
  readonly #directory: string | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, address: string, directory?: string) {
    this.#server = server;
    this.address = address;
    this.#directory = directory;
    server.on('connection', (socket: Socket) => this.#sockets.add(socket));
  }

  /** At a path of its own. */
  static async start(busPath: string): Promise<PlainBus> {
    const directory = mkdtempSync(join(tmpdir(), 'rpmsg-plain-'));
    const path = join(directory, 'bus');
    const server = createServer((socket) => forward(socket, busPath));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return new PlainBus(server, `unix:path=${path}`, directory);
  }

  /** At a port of this machine. */
  static async startTcp(busPath: string): Promise<PlainBus> {
    const server = createServer((socket) => forward(socket, busPath));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return new PlainBus(server, `tcp:host=127.0.0.1,port=${port}`);
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true });
  }
}

function forward(client: Socket, busPath: string): void {
  const bus = connect(busPath);
  client.on('data', (chunk: Buffer) => {
    const text = chunk.toString('latin1');
    bus.write(text.includes(offer) ? Buffer.from(text.replace(offer, noOffer), 'latin1') : chunk);
  });
  bus.on('data', (chunk: Buffer) => client.write(chunk));
  for (const [one, other] of [
    [client, bus],
    [bus, client],
  ] as const) {
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
  }
}
