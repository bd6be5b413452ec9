// SPDX-License-Identifier: Apache-2.0
// The client's half of D-Bus authentication: SASL EXTERNAL, then descriptor passing, then BEGIN
// (D-Bus specification, "Authentication Protocol"). All of it is said at once, as sd-bus does, since
// each answer waited for is a wake-up of both sides; a server that refuses ends the connection anyway.

const MAX_LINE_BYTES = 16 * 1024;

/** Fed with what the server sends; writes through `write`. */
export class Handshake {
  readonly #write: (text: string) => void;
  readonly #wantFds: boolean;
  #received = Buffer.alloc(0);
  #state: 'authenticating' | 'negotiating' | 'done' = 'authenticating';
  /** The server agreed to pass descriptors. */
  canPassFds = false;

  constructor(write: (text: string) => void, wantFds: boolean) {
    this.#write = write;
    this.#wantFds = wantFds;
  }

  /** Messages may be sent right after. */
  start(uid: number): void {
    const identity = Buffer.from(String(uid)).toString('hex');
    const negotiation = this.#wantFds ? 'NEGOTIATE_UNIX_FD\r\n' : '';
    this.#write(`\0AUTH EXTERNAL ${identity}\r\n${negotiation}BEGIN\r\n`);
  }

  /** Returns the bytes after the handshake once it is done, else undefined. @throws Error */
  feed(chunk: Buffer): Buffer | undefined {
    this.#received = Buffer.concat([this.#received, chunk]);
    while (this.#state !== 'done') {
      const end = this.#received.indexOf('\r\n');
      if (end > MAX_LINE_BYTES || (end < 0 && this.#received.length > MAX_LINE_BYTES)) {
        throw new Error('what answers at the bus address does not speak D-Bus: line too long');
      }
      if (end < 0) return undefined;
      const line = this.#received.toString('latin1', 0, end);
      this.#received = this.#received.subarray(end + 2);
      this.#line(line);
    }
    return this.#received;
  }

  #line(line: string): void {
    if (this.#state === 'negotiating') {
      this.canPassFds = line.startsWith('AGREE_UNIX_FD');
      this.#state = 'done';
      return;
    }
    if (!line.startsWith('OK')) {
      throw new Error(
        `the bus refused authentication by user id, answering '${line.slice(0, 80)}'`,
      );
    }
    this.#state = this.#wantFds ? 'negotiating' : 'done';
  }
}
