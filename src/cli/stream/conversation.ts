// SPDX-License-Identifier: Apache-2.0
// Standard input into a stream and the stream into standard output, until one of them ends.

import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import { CliStatus, RpmsgctlError } from '../errors.ts';
import { untilAbort } from '../live/until.ts';

import type { CommandContext } from '../verb.ts';
import { messagesOf } from './input.ts';
import { printed } from './output.ts';
import type { StreamSettings } from './settings.ts';

/** A Duplex in object mode, of messages. */
export type MessageStream = Duplex & { readonly maxPacketBytes: number };

/** Why a conversation ended. */
type End = 'input' | 'stream' | 'output' | 'interrupted';

export class Conversation {
  readonly #context: CommandContext;
  readonly #stream: MessageStream;
  readonly #settings: StreamSettings;
  #lastPrinted = 0;
  #refused = 0;

  constructor(context: CommandContext, stream: MessageStream, settings: StreamSettings) {
    this.#context = context;
    this.#stream = stream;
    this.#settings = settings;
  }

  /**
   * Resolves when everything was said: the input has ended, the remote has all of it, and nothing came
   * for a while; or when it is interrupted, or nobody reads what is printed.
   * @param closed aborts when the endpoint is closed; who reads hears of it after the last message
   * @throws RpmsgctlError when the stream ended, or lines of the input were no messages
   */
  async run(interruption: AbortSignal, closed: AbortSignal): Promise<void> {
    const { mode } = this.#settings;
    const interrupted = untilAbort(interruption).then((): End => 'interrupted');
    const ends: Promise<End>[] = [interrupted];
    if (mode === 'write') {
      this.#stream.resume();
      ends.push(untilAbort(closed).then((): End => 'stream'));
    } else {
      ends.push(this.#print());
    }
    if (mode !== 'read') ends.push(this.#send());
    try {
      const end = await Promise.race(ends);
      if (end === 'stream') throw new RpmsgctlError(CliStatus.failure, 'the endpoint was closed');
    } catch (error) {
      throw asEnd(error);
    } finally {
      this.#stream.on('error', () => {});
      this.#stream.destroy();
      if (mode !== 'read') this.#context.stdin.destroy();
    }
    if (this.#refused === 0) return;
    const lines = this.#refused === 1 ? '1 line was' : `${this.#refused} lines were`;
    throw new RpmsgctlError(CliStatus.failure, `${lines} not sent`);
  }

  async #print(): Promise<End> {
    const { stdout } = this.#context;
    const messages = this.#stream.iterator({ destroyOnReturn: false });
    for await (const message of messages as AsyncIterable<Buffer>) {
      this.#lastPrinted = performance.now();
      const hasRoom = stdout.write(this.#printedWithRest(message));
      if (stdout.destroyed || stdout.errored) return 'output';
      if (!hasRoom && !(await drained(stdout))) return 'output';
    }
    return 'stream';
  }

  /** What waits behind a message is written with it. */
  #printedWithRest(first: Buffer): Buffer {
    const parts: Buffer[] = [];
    for (let next: Buffer | null = first; next !== null; next = this.#stream.read()) {
      parts.push(printed(next, this.#settings.printing));
    }
    return Buffer.concat(parts);
  }

  async #send(): Promise<End> {
    const { form, packetBytes, hasEmptyMessages } = this.#settings;
    const longest = this.#stream.maxPacketBytes;
    const sizeBytes = Math.min(packetBytes ?? longest, longest);
    const refuse = (lineNumber: number, reason: string) => {
      this.#refused++;
      this.#context.complain(`line ${lineNumber}: ${reason}`);
    };
    const cutting = { form, sizeBytes, hasEmptyMessages, refuse };
    for await (const message of messagesOf(this.#context.stdin, cutting)) {
      if (!this.#stream.write(message)) await once(this.#stream, 'drain');
    }
    // Asked before it is ended: afterwards Node 18 takes what cannot be written to any more for finished.
    const isFinished = finished(this.#stream, { readable: false });
    this.#stream.end();
    await isFinished;
    if (this.#settings.mode === 'both') await this.#silence();
    return 'input';
  }

  /** Until nothing was printed for so long. */
  async #silence(): Promise<void> {
    const { waitMs } = this.#settings;
    this.#lastPrinted = performance.now();
    for (
      let leftMs = waitMs;
      leftMs > 0;
      leftMs = waitMs - (performance.now() - this.#lastPrinted)
    ) {
      await new Promise((resolve) => setTimeout(resolve, leftMs));
    }
  }
}

/** False when nobody reads any more. */
async function drained(output: CommandContext['stdout']): Promise<boolean> {
  try {
    await once(output, 'drain');
    return true;
  } catch {
    return false;
  }
}

/** The other end of the socket is gone: what that means. */
function asEnd(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    const text = 'the endpoint was closed before it took all that was written';
    return new RpmsgctlError(CliStatus.failure, text);
  }
  return error;
}
