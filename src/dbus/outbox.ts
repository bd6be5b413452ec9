// SPDX-License-Identifier: Apache-2.0
// What waits to be written: messages gathered into few writes, and messages with descriptors, which
// go by their own system call, in their place between the others.

import { closeSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { WireWriter } from './wire-writer.ts';

/**
 * Passes `bytes` and `fds` (SCM_RIGHTS) in one sendmsg(2), not blocking. Returns the bytes taken, or
 * -errno. The descriptors stay open; the outbox closes them.
 */
export type SendFds = (socketFd: number, bytes: Buffer, fds: readonly number[]) => number;

interface Batch {
  readonly bytes: Buffer;
  readonly fds: readonly number[];
}

/** A place in the stream of bytes, and who waits until it has left. */
interface Mark {
  readonly at: number;
  readonly callback: () => void;
}

const EAGAIN = 11;
const RETRY_MS = 1;

export interface OutboxEvents {
  /** Bytes have left for the kernel. */
  written(): void;
  failed(error: Error): void;
}

export class Outbox {
  readonly writer = new WireWriter();
  readonly #stream: Duplex;
  readonly #sendFds: SendFds | undefined;
  readonly #events: OutboxEvents;
  readonly #onWritten: (error?: Error | null) => void;
  readonly #onTurnEnd: () => void;
  /** Held back behind a message with descriptors, which is first. */
  #held: Batch[] = [];
  #heldBytes = 0;
  #scheduled = false;
  #retry: NodeJS.Timeout | undefined;
  /** Bytes given to the stream, and of those what the kernel has. */
  #given = 0;
  #taken = 0;
  /** Of each write that is under way, in order. */
  readonly #writing: number[] = [];
  readonly #marks: Mark[] = [];
  readonly #leaving: (() => void)[] = [];

  constructor(stream: Duplex, sendFds: SendFds | undefined, events: OutboxEvents) {
    this.#stream = stream;
    this.#sendFds = sendFds;
    this.#events = events;
    this.#onWritten = (error) => {
      // What is given up is told by the connection's end alone.
      if (error !== undefined && error !== null) return;
      this.#taken += this.#writing.shift() ?? 0;
      this.#reachMarks();
      if (this.#held.length > 0) this.#pump();
      this.#events.written();
    };
    this.#onTurnEnd = () => {
      this.#scheduled = false;
      this.flush();
    };
  }

  /** Bytes accepted and not yet taken by the kernel. */
  get bytes(): number {
    return this.#stream.writableLength + this.writer.pending + this.#heldBytes;
  }

  /** Accepts the message just written; it leaves with `flush`, or when the current turn ends. */
  commit(): void {
    const { fds } = this.writer;
    this.writer.fds = [];
    if (fds.length === 0) {
      this.writer.commit();
    } else {
      this.flush();
      this.writer.commit();
      this.#hold(Buffer.concat(this.writer.take()), fds);
      this.#pump();
    }
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(this.#onTurnEnd);
  }

  /** Calls back once the kernel has all that was accepted so far; never if the connection ends. */
  onceWritten(callback: () => void): void {
    const at = this.#given + this.#heldBytes + this.writer.pending;
    if (at <= this.#taken) callback();
    else this.#marks.push({ at, callback });
  }

  /**
   * Calls back as late as can be before the message just written goes to the kernel: whoever reads it
   * may end this process before the write returns. Where earlier bytes are stuck, once they have left.
   */
  onceLeaving(callback: () => void): void {
    const isStuck = this.#held.length > 0 || this.#stream.writableLength > 0;
    if (isStuck || this.writer.pending === 0) this.onceWritten(callback);
    else this.#leaving.push(callback);
  }

  flush(): void {
    if (this.writer.pending === 0) return;
    for (const callback of this.#leaving.splice(0)) callback();
    for (const bytes of this.writer.take()) {
      if (this.#held.length > 0) this.#hold(bytes, []);
      else this.#write(bytes);
    }
  }

  /** Closes the descriptors that will never be sent. */
  destroy(): void {
    clearTimeout(this.#retry);
    for (const { fds } of this.#held) closeAll(fds);
    this.#held = [];
    this.#heldBytes = 0;
  }

  #hold(bytes: Buffer, fds: readonly number[]): void {
    this.#held.push({ bytes, fds });
    this.#heldBytes += bytes.length;
  }

  #write(bytes: Buffer): void {
    if (!this.#stream.writable) return;
    this.#given += bytes.length;
    this.#writing.push(bytes.length);
    this.#stream.write(bytes, this.#onWritten);
  }

  #reachMarks(): void {
    for (let mark = this.#marks[0]; mark !== undefined; mark = this.#marks[0]) {
      if (mark.at > this.#taken) return;
      this.#marks.shift();
      mark.callback();
    }
  }

  #pump(): void {
    for (let batch = this.#held[0]; batch !== undefined; batch = this.#held[0]) {
      if (batch.fds.length > 0 && this.#mustWait()) return;
      this.#held.shift();
      this.#heldBytes -= batch.bytes.length;
      if (batch.fds.length === 0) this.#write(batch.bytes);
      else this.#pass(batch);
    }
  }

  /** Earlier bytes have not left, or the socket was full a moment ago. */
  #mustWait(): boolean {
    return this.#stream.writableLength > 0 || this.#retry !== undefined;
  }

  #pass(batch: Batch): void {
    const taken = this.#sendFds?.(socketFd(this.#stream), batch.bytes, batch.fds) ?? -1;
    if (taken === -EAGAIN) {
      this.#held.unshift(batch);
      this.#heldBytes += batch.bytes.length;
      this.#retry = setTimeout(() => {
        this.#retry = undefined;
        this.#pump();
      }, RETRY_MS);
      return;
    }
    closeAll(batch.fds);
    if (taken < 0) {
      this.#events.failed(new Error(`sending descriptors failed with errno ${-taken}`));
      return;
    }
    this.#given += taken;
    this.#taken += taken;
    if (taken < batch.bytes.length) this.#write(batch.bytes.subarray(taken));
    else this.#reachMarks();
  }
}

/** The descriptor under a net.Socket; -1 for any other stream. */
export function socketFd(stream: Duplex): number {
  const { _handle: handle } = stream as Duplex & { _handle?: { fd?: number } | null };
  return handle?.fd ?? -1;
}

/** Closes descriptors that are ours and go nowhere. */
export function closeAll(fds: readonly number[]): void {
  for (const fd of fds) {
    try {
      closeSync(fd);
    } catch {
      // Not ours to mend: the caller gave a descriptor that was not open.
    }
  }
}
