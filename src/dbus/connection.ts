// SPDX-License-Identifier: Apache-2.0
// One D-Bus connection over any byte stream: authentication, framing, sending, and noticing the end.
// It knows messages, not what they mean.

import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { BusError, ErrorName } from './errors.ts';
import { Framer } from './framer.ts';
import { Handshake } from './handshake.ts';
import { MessageTemplates, type OutgoingMessage } from './message-writer.ts';
import { closeAll, Outbox, type SendFds, socketFd } from './outbox.ts';
import { FdIntake } from './received-fds.ts';
import { parseSignature } from './signature.ts';
import { MessageType, NO_REPLY_EXPECTED, type WireMessage } from './wire-message.ts';

/** Above this nothing more is read until the bus has taken some of it: 1 MiB. */
const PAUSE_BYTES = 1024 * 1024;
/** Above this the bus is taken for dead: 8 MiB. */
const MAX_OUTGOING_BYTES = 8 * 1024 * 1024;
const MAX_SERIAL = 0xffffffff;

export interface ConnectionOptions {
  readonly sendFds?: SendFds | undefined;
  /** The serial of the first message; 1 unless said otherwise. */
  readonly firstSerial?: number | undefined;
}

/** Who receives. Must not throw. */
export interface ConnectionHandler {
  /** Bytes a body may have; asked once for each message. */
  bodyLimit(message: WireMessage): number;
  message(message: WireMessage): void;
}

/** Event: 'close' (error: Error), once. */
export class Connection extends EventEmitter {
  readonly #stream: Duplex;
  readonly #handler: ConnectionHandler;
  readonly #outbox: Outbox;
  readonly #framer: Framer;
  readonly #fdIntake: FdIntake | undefined;
  readonly #templates = new MessageTemplates();
  readonly #handshake: Handshake;
  #serial: number;
  #isStarted = false;
  #isAuthenticated = false;
  #paused = false;
  #closed = false;
  #reason: Error | undefined;
  #beforeSend: (() => void) | undefined;

  constructor(stream: Duplex, handler: ConnectionHandler, options: ConnectionOptions = {}) {
    super();
    this.#stream = stream;
    this.#handler = handler;
    this.#serial = options.firstSerial === undefined ? 0 : options.firstSerial - 1;
    this.#framer = new Framer((message) => handler.bodyLimit(message));
    this.#outbox = new Outbox(stream, options.sendFds, {
      written: () => this.#written(),
      failed: (error) => this.destroy(error),
    });
    this.#fdIntake = FdIntake.of(stream);
    const canSendFds = options.sendFds !== undefined && socketFd(stream) >= 0;
    const wantFds = canSendFds || this.#fdIntake !== undefined;
    this.#handshake = new Handshake((text) => stream.write(text, 'latin1'), wantFds);
    stream.on('data', (chunk: Buffer) => this.#received(chunk));
    stream.on('error', (error) => this.destroy(error));
    stream.on('end', () => this.destroy(new Error('the bus closed the connection')));
    stream.on('close', () => this.destroy(new Error('the bus connection was closed')));
  }

  get connected(): boolean {
    return this.#isStarted && !this.#closed;
  }

  get canPassFds(): boolean {
    return this.#handshake.canPassFds;
  }

  get outgoingBytes(): number {
    return this.#outbox.bytes;
  }

  /** Messages dropped for their header alone. */
  get ignored(): number {
    return this.#framer.ignored;
  }

  /** Authenticates. Messages can be sent from here on: the bus reads them when it has agreed. */
  start(uid: number): void {
    this.#isStarted = true;
    this.#handshake.start(uid);
  }

  /** Runs `hook` before the next message that is sent, once. */
  beforeNextSend(hook: () => void): void {
    this.#beforeSend = hook;
  }

  /** Calls back once the kernel has all that was sent so far; never if the connection ends before. */
  onceWritten(callback: () => void): void {
    if (!this.#closed) this.#outbox.onceWritten(callback);
  }

  /** Calls back right before what was sent last goes to the kernel; never if the connection ends. */
  onceLeaving(callback: () => void): void {
    if (!this.#closed) this.#outbox.onceLeaving(callback);
  }

  /** Serials run from 1 to 2^32 - 1 and start again. */
  nextSerial(): number {
    this.#serial = this.#serial >= MAX_SERIAL ? 1 : this.#serial + 1;
    return this.#serial;
  }

  /** Sends a message. Its descriptors, if any, are the connection's from here on. @throws WireError */
  send(message: OutgoingMessage, serial?: number): void {
    if (!this.#admit()) {
      closeDescriptors(message);
      return;
    }
    const { writer } = this.#outbox;
    try {
      this.#templates.write(writer, message, serial ?? this.nextSerial());
      if (writer.fds.length > 0 && !this.canPassFds) {
        throw new BusError(ErrorName.notSupported, 'this bus connection cannot pass descriptors');
      }
    } catch (error) {
      writer.abort();
      closeDescriptors(message);
      throw error;
    }
    this.#outbox.commit();
  }

  /** Answers `call` without a body. Nothing is sent if it wanted no reply. */
  sendEmptyReply(call: WireMessage): void {
    if (!call.noReply) this.send(answerTo(call, MessageType.reply));
  }

  /** Answers `call`. Nothing is sent if it wanted no reply. @throws WireError */
  sendReply(call: WireMessage, signature: string, body: readonly unknown[]): void {
    const reply = answerTo(call, MessageType.reply, signature, body);
    if (call.noReply) closeDescriptors(reply);
    else this.send(reply);
  }

  /** Answers `call` with an error. Nothing is sent if it wanted no reply. */
  sendError(call: WireMessage, name: string, text: string): void {
    if (call.noReply) return;
    const body = [text.replaceAll('\0', '\\0')];
    this.send({ ...answerTo(call, MessageType.error, 's', body), errorName: name });
  }

  /** Ends the stream after what is queued has been written. */
  end(): void {
    this.#outbox.flush();
    this.#reason = new Error('the bus connection was closed here');
    this.#stream.end();
  }

  destroy(error: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#outbox.destroy();
    this.#fdIntake?.close();
    this.#stream.destroy();
    this.emit('close', this.#reason ?? error);
  }

  #admit(): boolean {
    if (!this.connected) return false;
    const hook = this.#beforeSend;
    if (hook !== undefined) {
      this.#beforeSend = undefined;
      hook();
    }
    if (this.#outbox.bytes <= MAX_OUTGOING_BYTES) return true;
    this.destroy(new Error(`the bus has not taken ${this.#outbox.bytes} bytes; giving it up`));
    return false;
  }

  #received(chunk: Buffer): void {
    try {
      this.#fdIntake?.arrived(chunk.length);
      const rest = this.#isAuthenticated ? chunk : this.#handshake.feed(chunk);
      if (rest === undefined) return;
      this.#isAuthenticated = true;
      this.#framer.push(rest);
      this.#process();
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #process(): void {
    while (!this.#closed && !this.#paused) {
      const message = this.#framer.next();
      if (message === undefined) break;
      this.#fdIntake?.claim(message, this.#framer.ignored);
      if (message.defect === '') this.#handler.message(message);
      else if (message.type === MessageType.call) this.#refuse(message);
      this.#fdIntake?.release();
      if (this.#outbox.bytes > PAUSE_BYTES) this.#pause();
    }
    if (this.#framer.isIdle) this.#fdIntake?.settle();
    this.#outbox.flush();
  }

  #refuse(message: WireMessage): void {
    if (message.serial !== 0) this.sendError(message, ErrorName.invalidArgs, message.defect);
  }

  #pause(): void {
    this.#paused = true;
    this.#stream.pause();
  }

  #written(): void {
    if (!this.#paused || this.#outbox.bytes > PAUSE_BYTES / 2) return;
    this.#paused = false;
    this.#stream.resume();
    try {
      this.#process();
    } catch (error) {
      this.destroy(error as Error);
    }
  }
}

function answerTo(
  call: WireMessage,
  type: number,
  signature?: string,
  body?: readonly unknown[],
): OutgoingMessage {
  const { serial: replySerial, sender } = call;
  const destination = sender === '' ? undefined : sender;
  return { type, flags: NO_REPLY_EXPECTED, replySerial, destination, signature, body };
}

/** What is not sent must not stay open: descriptors are arguments of their own, never nested. */
function closeDescriptors({ signature = '', body = [] }: OutgoingMessage): void {
  if (!signature.includes('h')) return;
  closeAll(body.filter((_, i) => parseSignature(signature)[i]?.text === 'h') as number[]);
}
