// SPDX-License-Identifier: Apache-2.0
// A connection to a bus that receives descriptors, as a stream like node:net's, which cannot: it reads
// without a place for them, and the kernel drops them.

import { closeSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { EAGAIN, errnoError } from './errno.ts';
import { loadAddon, type NativeBusSocket, Ready } from './native.ts';

/** Descriptors that came and were not asked for yet; whoever sends more is given up. */
const MAX_WAITING_FDS = 256;

interface Arrival {
  /** How many bytes had come when these had. */
  readonly at: number;
  readonly fds: readonly number[];
}

interface Write {
  readonly bytes: Uint8Array;
  from: number;
  readonly done: (error?: Error | null) => void;
}

export class BusSocket extends Duplex {
  readonly #native: NativeBusSocket;
  #arrivals: Arrival[] = [];
  #waitingFds = 0;
  #arrivedBytes = 0;
  #watched = 0;
  #write: Write | undefined;

  /** Becomes the owner of a connected stream socket. */
  constructor(fd: number) {
    super({ allowHalfOpen: false });
    this.#native = new (loadAddon().BusSocket)(fd, (events) => this.#ready(events));
  }

  /**
   * Connects to a path, or to an abstract name, which starts with a zero byte.
   * @throws Error as of node:net, with its code: ENOENT, ECONNREFUSED, EACCES, EAGAIN…
   */
  static connect(path: string): BusSocket {
    const fd = loadAddon().connectSocket(path);
    if (fd < 0) throw errnoError('connect', fd, path.replace('\0', '@'));
    return new BusSocket(fd);
  }

  /**
   * The descriptors that came with the stream's first `byteCount` bytes, in their order, each handed
   * out once; the caller closes them. Those that nobody asks for are closed with the stream.
   */
  takeDescriptors(byteCount: number): number[] {
    const taken: number[] = [];
    for (let next = this.#arrivals[0]; next !== undefined; next = this.#arrivals[0]) {
      if (next.at > byteCount) break;
      taken.push(...next.fds);
      this.#arrivals.shift();
    }
    this.#waitingFds -= taken.length;
    return taken;
  }

  override _read(): void {
    this.#watch(this.#watched | Ready.readable);
  }

  override _write(bytes: Buffer, _encoding: string, done: Write['done']): void {
    this.#write = { bytes, from: 0, done };
    this.#writeOn(this.#write);
  }

  override _final(done: (error?: Error | null) => void): void {
    done();
    this.destroy();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#native.close();
    for (const fd of this.takeDescriptors(Number.POSITIVE_INFINITY)) closeSync(fd);
    const write = this.#write;
    this.#write = undefined;
    done(error);
    write?.done(error ?? new Error('the socket was closed'));
  }

  #ready(events: number): void {
    if (events & Ready.readable) this.#readOn();
    const write = this.#write;
    if (events & Ready.writable && write !== undefined && !this.destroyed) this.#writeOn(write);
    // After an error of the descriptor nothing is watched any more.
    if (!this.destroyed) this.#native.watch(this.#watched);
  }

  #readOn(): void {
    const fds: number[] = [];
    const read = this.#native.read(fds);
    if (typeof read !== 'number') {
      this.#arrivedBytes += read.length;
      if (fds.length > 0 && !this.#keep(fds)) return;
      if (!this.push(read)) this.#watch(this.#watched & ~Ready.readable);
    } else if (read === 0) {
      this.#watch(this.#watched & ~Ready.readable);
      this.push(null);
    } else if (read !== -EAGAIN) {
      this.destroy(errnoError('recvmsg', read));
    }
  }

  #keep(fds: readonly number[]): boolean {
    this.#arrivals.push({ at: this.#arrivedBytes, fds });
    this.#waitingFds += fds.length;
    if (this.#waitingFds <= MAX_WAITING_FDS) return true;
    this.destroy(new Error(`more than ${MAX_WAITING_FDS} descriptors came that nobody took`));
    return false;
  }

  #writeOn(write: Write): void {
    while (write.from < write.bytes.length) {
      const count = this.#native.write(write.bytes, write.from);
      if (count === -EAGAIN) {
        this.#watch(this.#watched | Ready.writable);
        return;
      }
      if (count < 0) {
        this.#written(write, errnoError('send', count));
        return;
      }
      write.from += count;
    }
    this.#written(write);
  }

  #written({ done }: Write, error?: Error): void {
    this.#write = undefined;
    this.#watch(this.#watched & ~Ready.writable);
    done(error);
  }

  #watch(events: number): void {
    if (this.#watched === events) return;
    this.#watched = events;
    this.#native.watch(events);
  }
}
