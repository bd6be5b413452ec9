// SPDX-License-Identifier: Apache-2.0
// The bus's end of a byte stream that is not a socket: answers authentication and Hello, and leaves
// the rest to the test.

import { Duplex } from 'node:stream';
import { buildMessage, type RawMessage, stringBody } from './raw-bus.ts';

export interface DuplexBusOptions {
  /** Bytes handed to the client at a time. */
  readonly chunk?: number;
  /** Answers to the lines AUTH and NEGOTIATE_UNIX_FD. */
  readonly auth?: string;
  readonly negotiate?: string;
  /** Whether Hello is answered. */
  readonly hello?: boolean;
  /** The descriptor the stream pretends to have. */
  readonly fd?: number;
}

export class DuplexBus {
  readonly stream: Duplex;
  /** What the client wrote after Hello. */
  readonly written: Buffer[] = [];
  readonly #options: DuplexBusOptions;
  #stalled: (() => void)[] | undefined;
  #stage: 'auth' | 'hello' | 'open' = 'auth';
  #text = Buffer.alloc(0);

  constructor(options: DuplexBusOptions = {}) {
    this.#options = options;
    this.stream = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        this.#received(chunk);
        if (this.#stalled === undefined) done();
        else this.#stalled.push(done);
      },
    });
    if (options.fd !== undefined) Object.assign(this.stream, { _handle: { fd: options.fd } });
  }

  /** Sends a message to the client. */
  send(message: RawMessage): void {
    this.push(buildMessage(message));
  }

  /** Sends bytes to the client, in chunks of the chosen size. */
  push(bytes: Buffer): void {
    const size = this.#options.chunk ?? bytes.length;
    for (let at = 0; at < bytes.length; at += size) this.stream.push(bytes.subarray(at, at + size));
  }

  /** Takes no more bytes until `resume`. */
  stall(): void {
    this.#stalled = [];
  }

  resume(): void {
    const waiting = this.#stalled ?? [];
    this.#stalled = undefined;
    for (const done of waiting) done();
  }

  end(): void {
    this.stream.push(null);
  }

  #received(chunk: Buffer): void {
    if (this.#stage === 'open') {
      this.written.push(Buffer.from(chunk));
      return;
    }
    this.#text = Buffer.concat([this.#text, chunk]);
    while (this.#stage === 'auth' && this.#text.includes('\r\n')) this.#answerLine();
    if (this.#stage === 'hello' && this.#text.length >= 16) this.#greet();
  }

  #answerLine(): void {
    const end = this.#text.indexOf('\r\n');
    const line = this.#text.toString('latin1', 0, end);
    this.#text = this.#text.subarray(end + 2);
    if (line === 'BEGIN') this.#stage = 'hello';
    else if (line.startsWith('NEGOTIATE')) {
      this.push(Buffer.from(this.#options.negotiate ?? 'AGREE_UNIX_FD\r\n'));
    } else this.push(Buffer.from(this.#options.auth ?? 'OK 0123\r\n'));
  }

  #greet(): void {
    this.#stage = 'open';
    if (this.#options.hello === false) return;
    const serial = this.#text.readUInt32LE(8);
    const body = stringBody(':1.7');
    this.send({ type: 2, serial: 1, replySerial: serial, signature: 's', body });
  }
}
