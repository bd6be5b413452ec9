// SPDX-License-Identifier: Apache-2.0
// What streams are held against, as processes: the in-process host on a board of its own, and the
// bare relay.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from '../../packaging/dev/child.mjs';
import { firmwareCommand } from '../../packaging/dev/scene.mjs';
import { checkout } from '../support/daemon-process.ts';
import { Conversation } from './conversation.ts';
import { daemonCpu, pinned, restCpu } from './pinning.ts';
import { type Measured, programPath, runClient, startReference } from './programs.ts';

export interface Reference {
  /** Of the process that stands for the daemon. */
  readonly pid: number;
  /** `mode` is one of stream-client's. */
  run(mode: string, bytes: number, count: number): Promise<Measured>;
  stop(): Promise<void>;
}

async function startBoard(socket: string, vdevs: number, options: string): Promise<Child> {
  const firmware = `cm40=${firmwareCommand(vdevs, options)}`;
  const words = ['--socket', socket, '--soc', 'imx8qxp', '--firmware', firmware];
  const [command = '', ...args] = pinned(restCpu, join(checkout, 'build/rpmsg-soc'), words);
  const board = new Child('rpmsg-soc', command, args);
  await board.said(/^cm40 firmware attached/m);
  return board;
}

/**
 * Uses the first vdev of firmware that has as many as on the daemon's board; `options` are the
 * firmware's.
 */
export async function startInProcessHost(vdevs: number, options = ''): Promise<Reference> {
  const directory = mkdtempSync(join(tmpdir(), 'rpmsg-host-'));
  const socket = join(directory, 'soc.sock');
  const board = await startBoard(socket, vdevs, options);
  const host = new Conversation(pinned(daemonCpu, programPath('inprocess-host'), [socket]));
  await host.next(/^READY$/);
  const run = async (mode: string, bytes: number, count: number) => {
    host.say(`${mode} ${bytes} ${count}`);
    const [line] = await host.next(/^\{.*\}$/);
    return JSON.parse(line) as Measured;
  };
  const stop = async () => {
    await host.stop();
    await board.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  return { pid: host.pid, run, stop };
}

export async function startBareRelay(): Promise<Reference> {
  const directory = mkdtempSync(join(tmpdir(), 'rpmsg-relay-'));
  const socket = join(directory, 'relay.sock');
  const relay = await startReference(daemonCpu, 'bare-relay', [socket, restCpu]);
  const run = (mode: string, bytes: number, count: number) =>
    runClient(restCpu, 'stream-client', [socket, '-', '-', mode, bytes, count]);
  const stop = async () => {
    await relay.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  return { pid: Number(relay.pid), run, stop };
}
