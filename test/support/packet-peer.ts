// SPDX-License-Identifier: Apache-2.0
// packet-peer.c as tests use it: a socket of ours, and a process at its other end that does as told.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BusSocket } from '../../src/addon/bus-socket.ts';
import { compileHelper } from './bus-process.ts';

export class PacketPeer {
  readonly process: ChildProcess;
  /** Our end of the pair; whoever takes it closes it. */
  fd = -1;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess) {
    this.process = child;
    if (child.stdout === null) throw new Error('no output');
    this.#lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  }

  static async start(): Promise<PacketPeer> {
    const directory = mkdtempSync(join(tmpdir(), 'rpmsg-packets-'));
    const path = join(directory, 'socket');
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    const peer = new PacketPeer(spawn(compileHelper('packet-peer'), [path], { stdio: [...stdio] }));
    await peer.#line();
    const socket = BusSocket.connect(path);
    await new Promise((resolve) => socket.once('data', resolve));
    [peer.fd = -1] = socket.takeDescriptors(1);
    socket.destroy();
    rmSync(directory, { recursive: true, force: true });
    return peer;
  }

  /** Has it done one thing; resolves with what it says of it. */
  tell(command: string): Promise<string> {
    this.process.stdin?.write(`${command}\n`);
    return this.#line();
  }

  stop(): void {
    this.process.kill('SIGKILL');
  }

  async #line(): Promise<string> {
    const { value } = await this.#lines.next();
    return String(value);
  }
}
