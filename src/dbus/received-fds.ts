// SPDX-License-Identifier: Apache-2.0
// Whose a descriptor is that came over the bus. The kernel says with which bytes it came, which may be
// of several messages; messages say how many are theirs (header field UNIX_FDS), in their order.

import { closeSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { WireError } from './errors.ts';
import type { WireMessage } from './wire-message.ts';

/** Descriptors that are of messages not complete yet; the stock system bus allows a message 16. */
const MAX_WAITING_FDS = 256;

/** A stream with which descriptors come, as the addon's BusSocket is one. */
export interface DescriptorStream extends Duplex {
  /** Those that came with the first `byteCount` bytes and were not taken yet. */
  takeDescriptors(byteCount: number): number[];
}

/** A descriptor that a message brought. Until somebody takes it, it is closed with its message. */
export class ReceivedFd {
  #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** The descriptor, which the caller closes from here on; -1 if it is gone. */
  take(): number {
    const fd = this.#fd;
    this.#fd = -1;
    return fd;
  }

  close(): void {
    const fd = this.take();
    if (fd >= 0) closeSync(fd);
  }
}

/** Gives each message what came for it. An error is the end of the connection: nothing is guessed. */
export class FdIntake {
  readonly #stream: DescriptorStream;
  #byteCount = 0;
  readonly #waiting: ReceivedFd[] = [];
  #ignored = 0;
  #handled: WireMessage | undefined;

  /** Of a stream with which descriptors come; undefined for any other. */
  static of(stream: Duplex): FdIntake | undefined {
    const { takeDescriptors } = stream as Partial<DescriptorStream>;
    return takeDescriptors === undefined ? undefined : new FdIntake(stream as DescriptorStream);
  }

  private constructor(stream: DescriptorStream) {
    this.#stream = stream;
  }

  /** So many more bytes of the stream are being read. @throws WireError when too many came */
  arrived(byteCount: number): void {
    this.#byteCount += byteCount;
    const fds = this.#stream.takeDescriptors(this.#byteCount);
    for (const fd of fds) this.#waiting.push(new ReceivedFd(fd));
    const came = this.#waiting.length;
    if (came > MAX_WAITING_FDS)
      throw new WireError(`${came} descriptors came, with no message yet`);
  }

  /**
   * Hands its descriptors to a message that is complete.
   * @param ignored how many messages were skipped so far for their headers: how many descriptors were
   *   theirs is not known
   * @throws WireError when there are too few, or when it is not certain whose they are
   */
  claim(message: WireMessage, ignored: number): void {
    const isCertain = message.defect === '' && ignored === this.#ignored;
    this.#ignored = ignored;
    const { unixFds } = message;
    const came = this.#waiting.length;
    if (unixFds > came) throw new WireError(`a message names ${unixFds} descriptors; ${came} came`);
    if (!isCertain && unixFds !== came) {
      throw new WireError('descriptors came with a message that cannot be understood');
    }
    if (unixFds === 0) return;
    message.fds = this.#waiting.splice(0, unixFds);
    this.#handled = message;
  }

  /** The message has been handled: what nobody made his own is closed. */
  release(): void {
    for (const fd of this.#handled?.fds ?? []) fd.close();
    this.#handled = undefined;
  }

  /** Every byte was read and no message is begun. @throws WireError when descriptors are left */
  settle(): void {
    if (this.#waiting.length > 0) throw new WireError('descriptors came that are of no message');
  }

  close(): void {
    this.release();
    for (const fd of this.#waiting.splice(0)) fd.close();
  }
}

/**
 * The arguments of a message whose descriptors are wanted: each stands as a ReceivedFd where its `h`
 * is, and is the caller's from here on.
 * @throws WireError when arguments and descriptors do not match
 */
export function argsWithFds(message: WireMessage): unknown[] {
  const args = message.args();
  const named = new Set(args.filter((arg) => arg instanceof ReceivedFd)).size;
  const came = message.fds.length;
  if (named !== came) throw new WireError(`${came} descriptors came; arguments name ${named}`);
  message.fds = [];
  return args;
}
