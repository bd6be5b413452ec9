// SPDX-License-Identifier: Apache-2.0
// An endpoint's messages as a stream over a bus that passes no descriptors: Subscribe and SendBatch.

import { Duplex } from 'node:stream';
import { type Bus, BusError, type Subscription, Variant } from '../../dbus/index.ts';
import { CliStatus, RpmsgctlError } from '../errors.ts';
import { serviceName } from '../objects.ts';
import type { StreamRequest } from './settings.ts';

const endpointInterface = `${serviceName}.Endpoint`;
const errorPrefix = `${serviceName}.Error.`;
/** What a message is lost with: the remote is not there for it. */
const lossNames = ['RemoteDown', 'RemoteReset', 'NotConnected'].map((name) => errorPrefix + name);
const timedOut = `${errorPrefix}TimedOut`;
/** Of one SendBatch, whose body may have 256 KiB. */
const batchLimit = 64;
const batchBytes = 192 * 1024;

type Done = (error?: Error | null) => void;

/**
 * A Duplex in object mode of Buffers. Acknowledges what was read, so that a reader who waits holds up
 * the daemon and not the bus. Events: 'lost' (direction: 'sent' | 'received', count: number, why: string).
 */
export class SubscribedStream extends Duplex {
  readonly maxPacketBytes: number;
  readonly #bus: Bus;
  readonly #path: string;
  readonly #hasEmptyMessages: boolean;
  readonly #subscriptions: Subscription[] = [];
  readonly #received: { seq: bigint; data: Buffer }[] = [];
  #window = 1;
  #unacknowledged = 0;
  #isAwaited = false;
  #isOver = false;

  private constructor(bus: Bus, path: string, maxPacketBytes: number, hasEmptyMessages: boolean) {
    super({ objectMode: true, readableHighWaterMark: 1, writableHighWaterMark: batchLimit });
    this.#bus = bus;
    this.#path = path;
    this.maxPacketBytes = maxPacketBytes;
    this.#hasEmptyMessages = hasEmptyMessages;
  }

  /** @throws BusError as Endpoint.Subscribe; RpmsgctlError what only a socket can do */
  static async open(bus: Bus, path: string, request: StreamRequest): Promise<SubscribedStream> {
    if (request.framing !== 'payload' || request.onReset !== 'drop') {
      const what = request.framing !== 'payload' ? '--framing header' : '--on-reset keep';
      throw new RpmsgctlError(CliStatus.failure, `${what} needs a bus that passes descriptors`);
    }
    const mtu = await bus.getProperty(serviceName, path, endpointInterface, 'Mtu');
    const stream = new SubscribedStream(bus, path, Number(mtu), request.hasEmptyMessages);
    if (request.mode !== 'write') await stream.#subscribe(request.hold);
    return stream;
  }

  /** No more messages come: reading ends after those that have. */
  endReading(): void {
    this.#isOver = true;
    if (this.#isAwaited) this._read();
  }

  override _read(): void {
    const next = this.#received.shift();
    this.#isAwaited = next === undefined;
    if (next === undefined) {
      if (this.#isOver) this.push(null);
      return;
    }
    this.#acknowledge(next.seq);
    this.push(next.data);
  }

  override _write(message: Buffer, _encoding: string, done: Done): void {
    void this.#send([message], done);
  }

  override _writev(writes: { chunk: Buffer }[], done: Done): void {
    void this.#send(
      writes.map(({ chunk }) => chunk),
      done,
    );
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    for (const subscription of this.#subscriptions) subscription.close();
    done(error);
  }

  async #subscribe(window: number | undefined): Promise<void> {
    const rule = { sender: serviceName, path: this.#path, interface: endpointInterface };
    const hear = async (member: string, handler: (args: readonly unknown[]) => void) => {
      const subscribed = await this.#bus.subscribe({ ...rule, member }, ({ args }) =>
        handler(args),
      );
      this.#subscriptions.push(subscribed);
    };
    await hear('MessageReceived', (args) => this.#arrived(args));
    const options = {
      ack: new Variant('s', 'manual'),
      ...(window === undefined ? {} : { window: new Variant('u', window) }),
    };
    [this.#window] = (await this.#call('Subscribe', 'a{sv}', [options])) as [number];
  }

  #arrived([seq, , , , data]: readonly unknown[]): void {
    const bytes = Buffer.from(data as Buffer);
    if (bytes.length === 0 && !this.#hasEmptyMessages) {
      this.emit('lost', 'received', 1, 'it was empty');
      this.#acknowledge(seq as bigint);
      return;
    }
    this.#received.push({ seq: seq as bigint, data: bytes });
    if (this.#isAwaited) this._read();
  }

  #acknowledge(seq: bigint): void {
    if (++this.#unacknowledged * 2 < this.#window) return;
    this.#unacknowledged = 0;
    this.#call('Ack', 't', [seq]).catch((error: Error) => this.destroy(error));
  }

  async #send(messages: readonly Buffer[], done: Done): Promise<void> {
    for (let at = 0; at < messages.length && !this.destroyed; ) {
      try {
        const batch = batchOf(messages, at);
        const [count] = await this.#call('SendBatch', 'aay', [batch]);
        at += Number(count);
      } catch (error) {
        if (!(error instanceof BusError)) return done(error as Error);
        // No buffer was free all that time: the remote is slow, so this side waits.
        if (error.name === timedOut) continue;
        if (!lossNames.includes(error.name)) return done(error);
        const why = error.name.slice(errorPrefix.length);
        this.emit('lost', 'sent', messages.length - at, why);
        break;
      }
    }
    done();
  }

  #call(member: string, signature: string, args: readonly unknown[]): Promise<unknown[]> {
    return this.#bus.call(serviceName, this.#path, endpointInterface, member, signature, args);
  }
}

/** The messages from `at` on that one call may carry; one at least. */
function batchOf(messages: readonly Buffer[], at: number): Buffer[] {
  const batch: Buffer[] = [];
  let bytes = 0;
  for (const message of messages.slice(at, at + batchLimit)) {
    bytes += message.length;
    if (bytes > batchBytes && batch.length > 0) break;
    batch.push(message);
  }
  return batch;
}
