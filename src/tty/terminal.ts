// SPDX-License-Identifier: Apache-2.0
// The pseudo-terminal of one channel. It holds the stream of the channel's default endpoint, as a client
// could: the link thread serves one end of a socket, and a relay stands between the other end and the
// terminal. So order, back-pressure, counters and what a daemon finds after a death are those of streams.

import { closeSync } from 'node:fs';
import { TtyRelay } from '../addon/pty.ts';
import type { StreamOptions } from '../addon/types.ts';
import { messageBytesOf } from '../config/tty-names.ts';
import type { LinkContext } from '../remote/context.ts';
import type { Endpoint } from '../remote/endpoint.ts';
import type { EndpointStream, StreamHolder, StreamPort } from '../remote/stream.ts';
import { daemonHolder } from '../remote/stream.ts';

/** The names of its descriptors in the service manager's store; the link's end is the stream's. */
export const masterName = (endpoint: number) => `tty-${endpoint}`;
export const packetsName = (endpoint: number) => `tty-stream-${endpoint}`;

export interface Pair {
  readonly master: number;
  /** The relay's end of the socket. */
  readonly packets: number;
}

export class Terminal {
  readonly endpoint: Endpoint;
  readonly link: string;
  /** The next daemon finds it. */
  isKept = false;
  readonly #context: LinkContext;
  readonly #pair: Pair;
  readonly #over: (hasFailed: boolean) => void;
  #stream: EndpointStream | undefined;
  #relay: TtyRelay | undefined;
  /** The descriptors are the relay's. */
  #isRelayed = false;
  #isClosed = false;
  #hasFailed = false;

  /** Owns the descriptors. `over` is called once when its stream is: it is of no use from then on. */
  constructor(
    context: LinkContext,
    endpoint: Endpoint,
    link: string,
    pair: Pair,
    over: (hasFailed: boolean) => void,
  ) {
    this.#context = context;
    this.endpoint = endpoint;
    this.link = link;
    this.#pair = pair;
    this.#over = over;
  }

  /** A new one; `served` is the link's end of the socket. Throws RpmsgdError busy: somebody has a stream. */
  start(served: number): void {
    const { stream, firstSeq } = this.endpoint.startStream(this.#options, this.#holder);
    this.#stream = stream;
    void this.#serve(stream, served, firstSeq);
  }

  /** That of an earlier daemon goes on; all three descriptors were in the store. */
  resume(served: number): void {
    this.isKept = true;
    const isServed = this.#context.link.resumeStream(this.endpoint.id, served);
    const { stream, firstSeq } = this.endpoint.startStream(this.#options, this.#holder, isServed);
    this.#stream = stream;
    if (isServed) this.#relayBytes();
    else this.#open(stream, served, firstSeq);
  }

  /** Its stream ends, and with it everything: `over` follows. */
  end(): void {
    this.#stream?.close();
  }

  /** Lets go of it; whoever has its slave open is hung up unless the store keeps the master. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#relay?.close();
    if (this.#isRelayed) return;
    closeSync(this.#pair.master);
    closeSync(this.#pair.packets);
  }

  get #logFields() {
    const { device, spec } = this.endpoint;
    return { ...device.logFields, channel: spec.name, tty: this.link };
  }

  /** What is typed while the remote is away goes to its next life. */
  get #options(): StreamOptions {
    const { device } = this.endpoint;
    const hold = Math.min(this.#context.limits().streamHold, device.mostHeld);
    const both = { reads: true, writes: true, withHeader: false, zeroLength: false };
    return { ...both, keepOnReset: true, hold };
  }

  get #holder(): StreamHolder {
    const ended = () => {
      this.close();
      this.#over(this.#hasFailed);
    };
    return { ...daemonHolder, port: this.#port, ended };
  }

  get #port(): StreamPort {
    const { log } = this.#context;
    return {
      overrun: (dropped) => {
        log.warn({ ...this.#logFields, dropped }, 'the terminal is full: messages were dropped');
      },
      refused: (count, bytes, reason) => {
        log.warn(
          { ...this.#logFields, count, bytes, reason },
          'packets of the terminal were refused',
        );
      },
      peerChanged: (isThere) => {
        const text = isThere
          ? 'the channel is there: the terminal goes on'
          : 'the channel is gone: the terminal stays, and what is written waits';
        log.info(this.#logFields, text);
      },
    };
  }

  /** Kept first: whoever opens it shall have the same one for as long as the service is not stopped. */
  async #serve(stream: EndpointStream, served: number, firstSeq: number): Promise<void> {
    const { descriptors } = this.#context;
    const { id } = this.endpoint;
    const isMasterKept = await descriptors.store(masterName(id), this.#pair.master);
    const arePacketsKept =
      !this.#isClosed && (await descriptors.store(packetsName(id), this.#pair.packets));
    this.isKept = isMasterKept && arePacketsKept;
    if (!this.#isClosed) await stream.keep(served);
    if (this.#isClosed) closeSync(served);
    else this.#open(stream, served, firstSeq);
  }

  #open(stream: EndpointStream, served: number, firstSeq: number): void {
    try {
      stream.open(served, firstSeq);
    } catch (err) {
      this.#failed(err);
      this.endpoint.endStream();
      return;
    }
    this.#relayBytes();
  }

  #relayBytes(): void {
    const { device, spec } = this.endpoint;
    const maxMessageBytes = messageBytesOf(spec.name, device.mtu);
    const over = (err: Error | undefined) => {
      if (err !== undefined) this.#failed(err);
      this.end();
    };
    this.#isRelayed = true;
    try {
      const maxPacketBytes = device.mtu;
      this.#relay = new TtyRelay({ ...this.#pair, maxMessageBytes, maxPacketBytes, over });
    } catch (err) {
      this.#failed(err);
      this.end();
    }
  }

  /** It is not to be made again by itself. */
  #failed(err: unknown): void {
    this.#context.log.error({ ...this.#logFields, err }, 'the terminal has failed');
    this.#hasFailed = true;
  }
}
