// SPDX-License-Identifier: Apache-2.0
// Pseudo-terminals, and what passes bytes between one and the packets of a stream.

import { RpmsgdError } from '../util/errors.ts';
import { errnoError } from './errno.ts';
import { loadAddon, type NativeTtyRelay } from './native.ts';

/**
 * The master of a new pseudo-terminal, close-on-exec, for the caller to close: then whoever has its
 * slave open is hung up. It is raw: no echo, no lines, no signals, no newline mapping.
 * @throws RpmsgdError os
 */
export function openPty(): number {
  const master = loadAddon().openPty();
  if (master >= 0) return master;
  throw new RpmsgdError(
    'os',
    `cannot open a pseudo-terminal: ${errnoError('open', master).message}`,
  );
}

/** Where the slave of a master is: `/dev/pts/N`. @throws RpmsgdError os: it is no master */
export function slavePath(master: number): string {
  const path = loadAddon().slavePath(master);
  if (typeof path === 'string') return path;
  throw new RpmsgdError('os', errnoError('ioctl', path, 'TIOCGPTN').message);
}

/**
 * Gives the slave to a group, which may read and write it, as may its owner; with undefined to its
 * owner alone. Undefined when done; else why not, and only its owner may open it.
 */
export function grantSlave(master: number, gid: number | undefined): Error | undefined {
  const result = loadAddon().grantSlave(master, gid ?? null, gid === undefined ? 0o600 : 0o660);
  return result === 0 ? undefined : errnoError('fchown', result);
}

export interface TtyRelayOptions {
  /** Whose owner it becomes, as of `packets`. */
  readonly master: number;
  /** A connected SOCK_SEQPACKET socket. */
  readonly packets: number;
  /** Bytes of a packet that is made of what a process writes, 1 to 65,536. */
  readonly maxMessageBytes: number;
  /** Bytes of a packet that comes, 1 to 65,536. */
  readonly maxPacketBytes: number;
  /** It is over: the other end of the socket is closed; or with what failed. It is closed by then. */
  readonly over: (error: Error | undefined) => void;
}

/**
 * Passes bytes both ways until close(). Back-pressure both ways: what one side does not take stays
 * where it is. native/napi/tty_relay.h says what a successor with the same descriptors goes on with.
 */
export class TtyRelay {
  readonly #native: NativeTtyRelay;

  /** @throws Error: they cannot be watched; both are closed */
  constructor({ master, packets, maxMessageBytes, maxPacketBytes, over }: TtyRelayOptions) {
    const { TtyRelay: Native } = loadAddon();
    this.#native = new Native(master, packets, maxMessageBytes, maxPacketBytes, (error) => {
      this.close();
      over(error === 0 ? undefined : errnoError('relay', error));
    });
  }

  /** Idempotent. */
  close(): void {
    this.#native.close();
  }
}
