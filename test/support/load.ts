// SPDX-License-Identifier: Apache-2.0
// Traffic in both directions on one vdev that never stops: an echo that is fed without a pause, and
// a source that sends as fast as it is allowed to. It goes on over deaths, and notes whatever is not
// as it was promised.

import {
  channelPath,
  type Message,
  type RpmsgClient,
  type RpmsgEndpoint,
  until,
} from './rpmsg-client.ts';

const callsInFlight = 2;
const sizes = [12, 16, 256, 496];
const orderCount = 64;
const orderBytes = 32;
/** What a send may end with when the remote dies or is not there yet. */
const excuses = ['RemoteReset', 'RemoteDown', 'NotConnected', 'TimedOut'];

/** Byte i of message n. */
function pattern(n: number, bytes: number): Buffer {
  const data = Buffer.alloc(bytes);
  for (let i = 4; i < bytes; i++) data[i] = (n + i) & 0xff;
  data.writeUInt32LE(n);
  return data;
}

export class VdevLoad {
  /** Sends that succeeded, and that failed by name. */
  sent = 0;
  failed = 0;
  /** Messages that came back, and that the source sent. */
  echoed = 0;
  sourced = 0;
  /** Everything that must not be. */
  readonly problems: string[] = [];
  readonly echo: RpmsgEndpoint;
  readonly source: RpmsgEndpoint;
  readonly #name: string;
  readonly #loops: Promise<void>[] = [];
  readonly #nextSeq = new Map<RpmsgEndpoint, bigint>();
  #counter = 0;
  #lastEchoed = -1;
  #isStopping = false;
  #ordered: (() => void) | undefined;

  private constructor(name: string, echo: RpmsgEndpoint, source: RpmsgEndpoint) {
    this.#name = name;
    this.echo = echo;
    this.source = source;
  }

  static async start(client: RpmsgClient, remote: string, vdev: number): Promise<VdevLoad> {
    const [echo, source] = await Promise.all(
      ['echo', 'source'].map((name) => client.open(channelPath(remote, vdev, name))),
    );
    if (echo === undefined || source === undefined) throw new Error('no endpoint');
    const load = new VdevLoad(`vdev ${vdev}`, echo, source);
    await echo.subscribe((message) => load.#echoed(message));
    await source.subscribe((message) => load.#sourced(message));
    for (let loop = 0; loop < callsInFlight; loop++) load.#run(load.#feed());
    load.#run(load.#order());
    return load;
  }

  /** Resolves when every call has been answered. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#ordered?.();
    await Promise.all(this.#loops);
  }

  #run(loop: Promise<void>): void {
    this.#loops.push(loop.catch((error: Error) => this.#problem(String(error))));
  }

  async #feed(): Promise<void> {
    while (!this.#isStopping) {
      const n = this.#counter++;
      const data = pattern(n, sizes[n % sizes.length] ?? 12);
      if (await this.#send(this.echo, data)) this.sent++;
      else await this.#connected(this.echo);
    }
  }

  async #order(): Promise<void> {
    const order = Buffer.alloc(8);
    order.writeUInt32LE(orderCount);
    order.writeUInt32LE(orderBytes, 4);
    while (!this.#isStopping) {
      const done = new Promise<void>((resolve) => {
        this.#ordered = resolve;
      });
      if (!(await this.#send(this.source, order))) await this.#connected(this.source);
      // An order that died with the firmware is given again.
      else await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 200))]);
    }
  }

  async #send(endpoint: RpmsgEndpoint, data: Buffer): Promise<boolean> {
    try {
      await endpoint.send(data);
      return true;
    } catch (error) {
      this.failed++;
      const { name, message } = error as Error;
      if (!excuses.some((excuse) => name === `org.rpmsg.Error.${excuse}`)) {
        this.#problem(`a send ended with ${name}: ${message}`);
      }
      return false;
    }
  }

  async #connected(endpoint: RpmsgEndpoint): Promise<void> {
    await until(`${this.#name} connected`, async () => {
      return this.#isStopping || (await endpoint.get('Connected')) === true;
    });
  }

  #echoed(message: Message): void {
    this.echoed++;
    this.#follows(this.echo, message);
    const n = message.data.readUInt32LE();
    if (n <= this.#lastEchoed) this.#problem(`echo ${n} after ${this.#lastEchoed}`);
    this.#lastEchoed = n;
    if (!message.data.equals(pattern(n, sizes[n % sizes.length] ?? 12))) {
      this.#problem(`echo ${n} is altered`);
    }
  }

  #sourced(message: Message): void {
    this.sourced++;
    this.#follows(this.source, message);
    const n = message.data.readUInt32LE();
    if (!message.data.equals(pattern(n, orderBytes))) this.#problem(`source ${n} is altered`);
    if (n === orderCount - 1) this.#ordered?.();
  }

  /** No message of an endpoint is lost or repeated between daemon and client. */
  #follows(endpoint: RpmsgEndpoint, { seq }: Message): void {
    const expected = this.#nextSeq.get(endpoint) ?? 0n;
    if (seq !== expected) this.#problem(`seq ${seq} where ${expected} was due`);
    this.#nextSeq.set(endpoint, seq + 1n);
  }

  #problem(what: string): void {
    if (this.problems.length < 20) this.problems.push(`${this.#name}: ${what}`);
  }
}
