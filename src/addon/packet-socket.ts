// SPDX-License-Identifier: Apache-2.0
// A SOCK_SEQPACKET socket as a stream of packets, each a Buffer: what an endpoint's stream is to its
// client. Back-pressure as with any stream of Node's.

import { Duplex } from 'node:stream';
import { EAGAIN, ECONNRESET, EPIPE, errnoError } from './errno.ts';
import { loadAddon, type NativePacketSocket, Ready } from './native.ts';

export interface PacketSocketOptions {
  /** Bytes that a packet may have, 1 to 1,048,576. */
  readonly maxPacketBytes: number;
  /** Whether packets without bytes come; without this one would be taken for the end. */
  readonly hasEmptyPackets?: boolean;
  /** Packets that are kept in each direction before the other side has to wait; 64. */
  readonly highWaterMark?: number;
}

type Done = (error?: Error | null) => void;

interface Batch {
  readonly packets: readonly Uint8Array[];
  from: number;
  readonly done: Done;
}

/** Received in one turn of the event loop, so that a flood leaves time for everything else. */
const MAX_BATCHES = 16;
const TAKEN_POLL_MS = { first: 1, last: 50 };

/**
 * A Duplex in object mode. write() takes a Uint8Array and says false while highWaterMark packets wait;
 * reading keeps as many and at most 64 more, of 64 KiB together or one. end() lets the
 * other end read the end of file, and 'finish' comes once that has taken everything; destroy() closes
 * at once. The end of reading is no end of writing.
 *
 * Events besides a Duplex's: 'truncated' (sizeBytes: number), a packet that was longer than
 * maxPacketBytes and is lost. Errors: EPIPE, the other end is closed; it comes after what that had
 * sent was read, so read, or resume(). ECONNRESET: it closed and left packets unread.
 */
export class PacketSocket extends Duplex {
  readonly maxPacketBytes: number;
  readonly #native: NativePacketSocket;
  #watched = 0;
  #batch: Batch | undefined;
  #reset: Error | undefined;

  /** Becomes the owner of a connected SOCK_SEQPACKET socket. */
  constructor(fd: number, options: PacketSocketOptions) {
    const { maxPacketBytes, hasEmptyPackets = false, highWaterMark = 64 } = options;
    super({ objectMode: true, highWaterMark });
    this.maxPacketBytes = maxPacketBytes;
    const onReady = (events: number) => this.#ready(events);
    const { PacketSocket: Native } = loadAddon();
    this.#native = new Native(fd, onReady, maxPacketBytes, hasEmptyPackets);
  }

  /** @throws RangeError when the packet has more than maxPacketBytes; the stream goes on */
  override write(packet: Uint8Array, ...rest: never[]): boolean {
    if (packet.length > this.maxPacketBytes) {
      const rule = `the longest is ${this.maxPacketBytes}`;
      throw new RangeError(`a packet of ${packet.length} bytes is too long: ${rule}`);
    }
    return super.write(packet, ...rest);
  }

  override _read(): void {
    this.#watch(this.#watched | Ready.readable);
  }

  override _write(packet: Uint8Array, _encoding: string, done: Done): void {
    this.#send({ packets: [packet], from: 0, done });
  }

  override _writev(writes: { chunk: Uint8Array }[], done: Done): void {
    this.#send({ packets: writes.map(({ chunk }) => chunk), from: 0, done });
  }

  override _final(done: Done): void {
    // What it answers does not matter: if the other end is gone, there is no one to tell.
    this.#native.shutdown();
    this.#finish(TAKEN_POLL_MS.first, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#native.close();
    const batch = this.#batch;
    this.#batch = undefined;
    done(error);
    batch?.done(error ?? new Error('the socket was closed'));
  }

  /** The kernel tells nobody when a packet is taken. */
  #finish(waitMs: number, done: Done): void {
    const untaken = this.#native.untaken();
    if (this.destroyed || untaken === 0) done();
    else if (untaken < 0) done(this.#reset ?? errnoError('sendmmsg', untaken));
    else setTimeout(() => this.#finish(Math.min(waitMs * 2, TAKEN_POLL_MS.last), done), waitMs);
  }

  #ready(events: number): void {
    if (events & Ready.readable) {
      for (let batches = 0; batches < MAX_BATCHES && this.#receive(); batches++);
    }
    const batch = this.#batch;
    if (events & Ready.writable && batch !== undefined && !this.destroyed) this.#send(batch);
    // After an error of the descriptor nothing is watched any more.
    if (!this.destroyed) this.#native.watch(this.#watched);
  }

  /** Whether there may be more that somebody wants. */
  #receive(): boolean {
    const received = this.#native.receive();
    if (typeof received !== 'number') {
      for (const packet of received) this.#received(packet);
      return !this.destroyed && (this.#watched & Ready.readable) !== 0;
    }
    if (received === 0) {
      this.#end();
    } else if (received === -ECONNRESET) {
      // Told before what the other end had sent is read, and once.
      this.#reset = errnoError('recvmmsg', received);
    } else if (received !== -EAGAIN) {
      this.destroy(errnoError('recvmmsg', received));
    }
    return false;
  }

  #received(packet: Buffer | number): void {
    if (this.destroyed) return;
    if (typeof packet === 'number') this.emit('truncated', packet);
    else if (!this.push(packet)) this.#watch(this.#watched & ~Ready.readable);
  }

  #end(): void {
    this.#watch(this.#watched & ~Ready.readable);
    const reset = this.#reset;
    if (reset !== undefined) this.once('end', () => this.destroy(reset));
    this.push(null);
  }

  #send(batch: Batch): void {
    this.#batch = batch;
    while (batch.from < batch.packets.length) {
      const count = this.#native.send(batch.packets, batch.from);
      if (count === -EAGAIN) {
        this.#watch(this.#watched | Ready.writable);
        return;
      }
      if (count < 0) {
        this.#failed(batch, count);
        return;
      }
      batch.from += count;
    }
    this.#sent(batch);
  }

  #sent({ done }: Batch, error?: Error): void {
    this.#batch = undefined;
    this.#watch(this.#watched & ~Ready.writable);
    done(error);
  }

  /** An error would drop what was received and not read yet. */
  #failed(batch: Batch, result: number): void {
    const error = errnoError('sendmmsg', result);
    const isGone = result === -EPIPE || result === -ECONNRESET;
    if (isGone && !this.readableEnded) {
      this.#watch((this.#watched & ~Ready.writable) | Ready.readable);
      this.once('end', () => this.#sent(batch, error));
    } else {
      this.#sent(batch, error);
    }
  }

  #watch(events: number): void {
    if (this.#watched === events || this.destroyed) return;
    this.#watched = events;
    this.#native.watch(events);
  }
}
