// SPDX-License-Identifier: Apache-2.0
// A bus client that sends whatever bytes it is told to, well-formed or not, and shares no code with
// the codec under test.

import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { compileHelper } from './bus-process.ts';

export interface RawMessage {
  type?: number;
  flags?: number;
  serial?: number;
  destination?: string;
  path?: string;
  interface?: string;
  member?: string;
  replySerial?: number;
  signature?: string;
  body?: Buffer;
  unixFds?: number;
  bigEndian?: boolean;
}

export interface RawReply {
  type: number;
  flags: number;
  replySerial: number;
  errorName: string;
  member: string;
  sender: string;
  signature: string;
  body: Buffer;
}

interface Transport {
  write(bytes: Buffer, fds: number): void;
  stop(): void;
  pause(): void;
}

const ANSWER_TIMEOUT_MS = 10_000;

/** The bytes of a message. Fields not given are left out, as a hostile client may. */
export function buildMessage(message: RawMessage): Buffer {
  const big = message.bigEndian === true;
  const u32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    if (big) bytes.writeUInt32BE(value);
    else bytes.writeUInt32LE(value);
    return bytes;
  };
  let fields = Buffer.alloc(0);
  const field = (code: number, type: string, value: Buffer) => {
    const head = Buffer.from([code, 1, type.charCodeAt(0), 0]);
    fields = Buffer.concat([pad(fields), head, value]);
  };
  const text = (value: string) => Buffer.concat([u32(Buffer.byteLength(value)), cString(value)]);
  if (message.path !== undefined) field(1, 'o', text(message.path));
  if (message.interface !== undefined) field(2, 's', text(message.interface));
  if (message.member !== undefined) field(3, 's', text(message.member));
  if (message.replySerial !== undefined) field(5, 'u', u32(message.replySerial));
  if (message.destination !== undefined) field(6, 's', text(message.destination));
  if (message.signature !== undefined) {
    const { signature } = message;
    field(8, 'g', Buffer.concat([Buffer.from([signature.length]), cString(signature)]));
  }
  if (message.unixFds !== undefined) field(9, 'u', u32(message.unixFds));
  const body = message.body ?? Buffer.alloc(0);
  const order = big ? 0x42 : 0x6c;
  const start = Buffer.from([order, message.type ?? 1, message.flags ?? 0, 1]);
  const sizes = [u32(body.length), u32(message.serial ?? 1), u32(fields.length)];
  return Buffer.concat([start, ...sizes, pad(fields), body]);
}

function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
}

/** A string as it stands in a little-endian body. */
export function stringBody(...texts: string[]): Buffer {
  let body = Buffer.alloc(0);
  for (const text of texts) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(Buffer.byteLength(text));
    const aligned = Buffer.alloc((4 - (body.length % 4)) % 4);
    body = Buffer.concat([body, aligned, length, cString(text)]);
  }
  return body;
}

export class RawBus {
  readonly #transport: Transport;
  #received = Buffer.alloc(0);
  #replies: RawReply[] = [];
  #serial = 0;
  readonly #waking = new Set<() => void>();
  #closed = false;
  name = '';

  private constructor(open: (data: (chunk: Buffer) => void, closed: () => void) => Transport) {
    this.#transport = open(
      (chunk) => {
        this.#received = Buffer.concat([this.#received, chunk]);
        for (const wake of this.#waking) wake();
      },
      () => {
        this.#closed = true;
        for (const wake of this.#waking) wake();
      },
    );
  }

  /** Connects and says Hello. */
  static async connect(socketPath: string): Promise<RawBus> {
    const raw = new RawBus((data, closed) => {
      const socket = connect(socketPath);
      socket.on('data', data);
      socket.on('error', closed);
      socket.on('close', closed);
      return {
        write: (bytes) => socket.write(bytes),
        stop: () => socket.destroy(),
        pause: () => socket.pause(),
      };
    });
    return await raw.#hello();
  }

  /** The same through a helper process that can pass descriptors. */
  static async connectWithDescriptors(socketPath: string): Promise<RawBus> {
    const raw = new RawBus((data, closed) => {
      const helper = compileHelper('pass-descriptors');
      const child = spawn(helper, [socketPath], { stdio: ['pipe', 'pipe', 'inherit'] });
      child.stdout.on('data', data);
      child.stdin.on('error', closed);
      child.on('exit', closed);
      return {
        write: (bytes, fds) => {
          const head = Buffer.alloc(8);
          head.writeUInt32LE(bytes.length, 0);
          head.writeUInt32LE(fds, 4);
          child.stdin.write(Buffer.concat([head, bytes]));
        },
        stop: () => child.kill('SIGKILL'),
        pause: () => child.stdout.pause(),
      };
    });
    return await raw.#hello();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Sends bytes as they are. */
  write(bytes: Buffer, fds = 0): void {
    this.#transport.write(bytes, fds);
  }

  /** Sends a message; returns its serial. */
  send(message: RawMessage, fds = 0): number {
    const serial = message.serial ?? ++this.#serial;
    this.write(buildMessage({ ...message, serial }), fds);
    return serial;
  }

  /** Sends a call and waits for its answer. */
  async call(message: RawMessage, fds = 0): Promise<RawReply> {
    return await this.answer(this.send(message, fds));
  }

  /** Waits for the answer to `serial`. */
  answer(serial: number): Promise<RawReply> {
    return this.#until(() => {
      const index = this.#replies.findIndex((reply) => reply.replySerial === serial);
      return index < 0 ? undefined : this.#replies.splice(index, 1)[0];
    }, `an answer to ${serial}`);
  }

  /** Waits until the other side has closed the connection. */
  async untilClosed(): Promise<void> {
    await this.#until(() => (this.#closed ? true : undefined), 'the end of the connection');
  }

  /** Answers that have come and were not waited for. */
  unclaimed(): readonly RawReply[] {
    this.#parse();
    return this.#replies;
  }

  /** Never reads again. */
  stopReading(): void {
    this.#transport.pause();
  }

  close(): void {
    this.#transport.stop();
  }

  async #hello(): Promise<this> {
    const uid = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex');
    this.write(Buffer.from(`\0AUTH EXTERNAL ${uid}\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n`));
    await this.#until(() => {
      const end = this.#received.indexOf('AGREE_UNIX_FD\r\n');
      if (end < 0) return undefined;
      this.#received = this.#received.subarray(end + 'AGREE_UNIX_FD\r\n'.length);
      return true;
    }, 'authentication');
    const reply = await this.call({
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
      member: 'Hello',
    });
    this.name = reply.body.toString('utf8', 4, reply.body.length - 1);
    return this;
  }

  async #until<T>(found: () => T | undefined, what: string): Promise<T> {
    const deadline = performance.now() + ANSWER_TIMEOUT_MS;
    for (;;) {
      if (what !== 'authentication') this.#parse();
      const value = found();
      if (value !== undefined) return value;
      const left = deadline - performance.now();
      if (left <= 0 || this.#closed) throw new Error(`${what} did not come`);
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.#waking.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, left);
        this.#waking.add(wake);
      });
    }
  }

  #parse(): void {
    for (;;) {
      const bytes = this.#received;
      if (bytes.length < 16) return;
      const fieldBytes = bytes.readUInt32LE(12);
      const bodyAt = 16 + Math.ceil(fieldBytes / 8) * 8;
      const total = bodyAt + bytes.readUInt32LE(4);
      if (bytes.length < total) return;
      this.#replies.push(parseReply(bytes.subarray(0, total), fieldBytes, bodyAt));
      this.#received = Buffer.from(bytes.subarray(total));
    }
  }
}

function parseReply(bytes: Buffer, fieldBytes: number, bodyAt: number): RawReply {
  const numbers = new Map<number, number>();
  const texts = new Map<number, string>();
  for (let at = 16; at < 16 + fieldBytes; at = Math.ceil(at / 8) * 8) {
    const code = bytes[at] as number;
    const type = String.fromCharCode(bytes[at + 2] as number);
    at += 4;
    if (type === 'u') {
      numbers.set(code, bytes.readUInt32LE(at));
      at += 4;
      continue;
    }
    const prefix = type === 'g' ? 1 : 4;
    const length = type === 'g' ? (bytes[at] as number) : bytes.readUInt32LE(at);
    texts.set(code, bytes.toString('utf8', at + prefix, at + prefix + length));
    at += prefix + length + 1;
  }
  return {
    type: bytes[1] as number,
    flags: bytes[2] as number,
    replySerial: numbers.get(5) ?? 0,
    errorName: texts.get(4) ?? '',
    member: texts.get(3) ?? '',
    sender: texts.get(7) ?? '',
    signature: texts.get(8) ?? '',
    body: Buffer.from(bytes.subarray(bodyAt)),
  };
}
