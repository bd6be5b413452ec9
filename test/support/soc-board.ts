// SPDX-License-Identifier: Apache-2.0
// A simulated board of a test: rpmsg-soc with firmware for its M core. Its memory is where
// RPMSG_SOC_MEMORY says, `uio:NAME` in the emulated machine: there one board at a time can be.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from '../../packaging/dev/child.mjs';

/** Where programs and addon were built. */
export const buildDirectory =
  process.env['RPMSG_BUILD'] ?? fileURLToPath(new URL('../../build', import.meta.url));

export interface Board {
  /** Where hosts attach. */
  readonly socket: string;
  readonly soc: Child;
  /** Ends it with its firmware. Another may be started once its hosts have ended, too. */
  stop(): Promise<void>;
}

/** Resolves when hosts may attach. `options` are for rpmsg-soc. */
export async function startBoard(...options: string[]): Promise<Board> {
  const directory = mkdtempSync(join(tmpdir(), 'rpmsgd-board-'));
  const socket = join(directory, 'soc.sock');
  const firmware = `${join(buildDirectory, 'rpmsg-firmware')} --vdevs 1`;
  const words = ['--socket', socket, '--firmware', `cm40=${firmware}`, ...options];
  const memory = process.env['RPMSG_SOC_MEMORY'];
  if (memory !== undefined) words.push('--memory', memory);
  const soc = new Child('rpmsg-soc', join(buildDirectory, 'rpmsg-soc'), words);
  const stop = async () => {
    await soc.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await soc.said(/^READY$/m);
  } catch (error) {
    await stop();
    throw error;
  }
  return { socket, soc, stop };
}

/** Does something with a board of its own. */
export async function withBoard<T>(work: (board: Board) => Promise<T>): Promise<T> {
  const board = await startBoard();
  try {
    return await work(board);
  } finally {
    await board.stop();
  }
}
