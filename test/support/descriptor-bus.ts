// SPDX-License-Identifier: Apache-2.0
// A bus of our own on a real socket that passes whatever descriptors it is told to, as a real bus never
// would, and the count of those that are open in this process.

import { closeSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sendFds } from '../../src/addon/system.ts';
import { socketFd } from '../../src/dbus/outbox.ts';
import { buildMessage, type RawMessage, stringBody } from './raw-bus.ts';

export class DescriptorBus {
  readonly address: string;
  readonly #directory: string;
  readonly #server: Server;
  readonly #negotiate: string;
  #socket: Socket | undefined;

  private constructor(negotiate: string) {
    this.#directory = mkdtempSync(join(tmpdir(), 'rpmsg-fds-'));
    this.address = `unix:path=${join(this.#directory, 'bus')}`;
    this.#negotiate = negotiate;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** `negotiate` is its answer to NEGOTIATE_UNIX_FD. */
  static async start(negotiate = 'AGREE_UNIX_FD\r\n'): Promise<DescriptorBus> {
    const bus = new DescriptorBus(negotiate);
    const path = bus.address.slice('unix:path='.length);
    await new Promise<void>((resolve) => bus.#server.listen(path, resolve));
    return bus;
  }

  /** Sends bytes, and new descriptors of /dev/null with the first of them. */
  push(bytes: Buffer, fdCount = 0): void {
    const fds = Array.from({ length: fdCount }, () => openSync('/dev/null', 'r'));
    const socket = this.#socket;
    if (socket === undefined) throw new Error('nobody is connected');
    const taken = sendFds(socketFd(socket), bytes, fds);
    for (const fd of fds) closeSync(fd);
    if (taken !== bytes.length) throw new Error(`the socket took ${taken} of ${bytes.length}`);
  }

  /** Sends a message that says the truth about its descriptors, unless it says something itself. */
  send(message: RawMessage, fdCount = 0): void {
    const unixFds = fdCount > 0 ? { unixFds: fdCount } : {};
    this.push(buildMessage({ ...unixFds, ...message }), fdCount);
  }

  stop(): void {
    this.#socket?.destroy();
    this.#server.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #serve(socket: Socket): void {
    this.#socket = socket;
    let text = '';
    let answered = 0;
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const begin = text.indexOf('BEGIN\r\n') + 'BEGIN\r\n'.length;
      if (answered === 0 && text.includes('AUTH')) {
        answered = 1;
        socket.write('OK 0123\r\n');
      }
      if (answered === 1 && text.includes('NEGOTIATE')) {
        answered = 2;
        socket.write(this.#negotiate);
      }
      if (answered === 2 && text.includes('BEGIN') && text.length >= begin + 16) {
        answered = 3;
        const replySerial = Buffer.from(text, 'latin1').readUInt32LE(begin + 8);
        this.send({ type: 2, replySerial, signature: 's', body: stringBody(':1.7') });
      }
    });
    socket.on('error', () => {});
  }
}

/** How many descriptors of /dev/null this process has. */
export function openNulls(): number {
  const isNull = (name: string) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`) === '/dev/null';
    } catch {
      return false; // the folder's own
    }
  };
  return readdirSync('/proc/self/fd').filter(isNull).length;
}
