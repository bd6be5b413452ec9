// SPDX-License-Identifier: Apache-2.0
// The service manager's descriptor store: what is in it outlives this process, however it ends, and
// the next one inherits it (sd_pid_notify_with_fds(3), FileDescriptorStoreMax= in systemd.service(5)).

import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { closeOnExec, notify, notifyBarrier } from '../addon/system.ts';
import { RpmsgdError } from '../util/errors.ts';
import type { HandedOver, ManagerEnvironment } from './environment.ts';

const barrierMs = 5_000;

/**
 * The names of all descriptors come back as one string of the environment, which the kernel limits to
 * 128 KiB: that is 4,096 of these, as many as the unit lets the store keep.
 */
export const maxNameBytes = 30;

export class DescriptorStore {
  readonly #socket: string | undefined;
  readonly #inherited: Map<string, number>;

  constructor({ notifySocket, descriptors }: ManagerEnvironment) {
    this.#socket = notifySocket;
    this.#inherited = claim(descriptors);
  }

  /**
   * What earlier processes of the service had stored, by name, close-on-exec. Of several descriptors of
   * one name the last is here and the others are closed, as are those without a name. They are in the
   * store still. Whoever takes one owns it from then on; what nobody wants is for the caller to close
   * and to remove().
   */
  inherited(): Map<string, number> {
    return this.#inherited;
  }

  /**
   * Resolves to true once a duplicate of `fd` is kept under `name`: a death right after that does not
   * lose it. Nothing takes it out but remove(), not even a peer that hangs up. What is in the store
   * already, under whichever name, stays as it is. False: there is no service manager, or it did not
   * answer within 5 s. One that keeps no descriptors for this service does not say so, nor one whose
   * store is full. Waits without blocking, but for room in the service manager's queue (200 ms).
   * @throws RpmsgdError invalid_argument: a name that is empty, longer than 30 bytes, or has other
   * than printable ASCII or a colon in it
   */
  async store(name: string, fd: number): Promise<boolean> {
    checkName(name);
    if (this.#socket === undefined) return false;
    // FDPOLL: with packets in it that its peer was told were sent, a socket is worth keeping after that.
    if (!notify(this.#socket, `FDSTORE=1\nFDNAME=${name}\nFDPOLL=0`, [fd])) return false;
    const pipe = notifyBarrier(this.#socket);
    return pipe === undefined ? false : await endsWithin(pipe, barrierMs);
  }

  /** Drops every descriptor of that name. False: the service manager is not there or did not take it. */
  remove(name: string): boolean {
    checkName(name);
    return this.#socket !== undefined && notify(this.#socket, `FDSTOREREMOVE=1\nFDNAME=${name}`);
  }
}

function claim(descriptors: readonly HandedOver[]): Map<string, number> {
  const claimed = new Map<string, number>();
  for (const { name, fd } of descriptors) {
    if (!closeOnExec(fd)) continue;
    const superseded = name === '' ? fd : claimed.get(name);
    if (superseded !== undefined) closeSync(superseded);
    if (name !== '') claimed.set(name, fd);
  }
  return claimed;
}

function checkName(name: string): void {
  if (/^[\x20-\x39\x3b-\x7e]+$/.test(name) && name.length <= maxNameBytes) return;
  throw new RpmsgdError(
    'invalid_argument',
    `the name ${JSON.stringify(name)} of a descriptor must have 1 to ${maxNameBytes} printable ASCII characters, and no colon`,
  );
}

/** Whether a pipe that nobody writes into comes to its end in time. Closes it. */
function endsWithin(fd: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const pipe = new Socket({ fd, readable: true, writable: false });
    const settle = (ended: boolean) => {
      clearTimeout(timer);
      pipe.destroy();
      resolve(ended);
    };
    const timer = setTimeout(() => settle(false), timeoutMs);
    pipe.once('end', () => settle(true));
    pipe.once('error', () => settle(false));
    pipe.resume();
  });
}
