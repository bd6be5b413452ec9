// SPDX-License-Identifier: Apache-2.0
// Traffic in both directions on one vdev that never stops: an echo that is fed without a pause, and
// a source that sends as much as it is asked for. It goes on over deaths of either side, and notes
// whatever is not as it was promised.

import {
  channelPath,
  type Message,
  type RpmsgClient,
  type RpmsgEndpoint,
  SERVICE,
  until,
} from './rpmsg-client.ts';

const callsInFlight = 2;
const sizes = [12, 16, 256, 496];
const orderCount = 64;
const orderBytes = 32;
/** After that long an order has died with the firmware. */
const orderTimeoutMs = 2_000;
const connectTimeoutMs = 20_000;
/** Signals are not heard from a daemon that is not there. */
const lookEachMs = 200;

/** Who may die while the load runs. */
export type Mortal = 'remote' | 'daemon';

/** What a send may end with when the remote dies or is not there yet. */
const remoteExcuses = ['RemoteReset', 'RemoteDown', 'NotConnected', 'TimedOut'].map(
  (name) => `org.rpmsg.Error.${name}`,
);
/** The same of the daemon: it was not there, and nothing was sent. */
const daemonExcuses = ['ServiceUnknown', 'NameHasNoOwner'].map(
  (name) => `org.freedesktop.DBus.Error.${name}`,
);
/** It died between the call and its answer: nobody knows. */
const doubt = 'org.freedesktop.DBus.Error.NoReply';

/** Message n of a kind. */
function pattern(n: number, bytes: number): Buffer {
  const data = Buffer.alloc(bytes);
  for (let i = 4; i < bytes; i++) data[i] = (n + i) & 0xff;
  data.writeUInt32LE(n);
  return data;
}

function sizeOf(n: number): number {
  return sizes[n % sizes.length] ?? 12;
}

/** The numbers of one endpoint's messages: continuous, and the same again where they are repeated. */
class Sequence {
  /** By seq: what the message carried. */
  readonly carried: number[] = [];

  /** True if the message is new. `problem` is told what is wrong. */
  take(seq: number, n: number, mayRepeat: boolean, problem: (what: string) => void): boolean {
    if (seq === this.carried.length) {
      this.carried.push(n);
      return true;
    }
    const before = this.carried[seq];
    if (before === undefined) problem(`seq ${seq} where ${this.carried.length} was due`);
    else if (!mayRepeat) problem(`seq ${seq} came twice`);
    else if (before !== n) problem(`seq ${seq} carries ${n}, and had carried ${before}`);
    return false;
  }
}

export class VdevLoad {
  /** Sends that failed, as they may. */
  failed = 0;
  /** Everything that must not be. */
  readonly problems: string[] = [];
  readonly echo: RpmsgEndpoint;
  readonly source: RpmsgEndpoint;
  readonly #name: string;
  readonly #mortals: readonly Mortal[];
  readonly #loops: Promise<void>[] = [];
  readonly #echoes = new Sequence();
  readonly #sourced = new Sequence();
  /** Numbers of messages that entered the ring, and of those that may have. */
  readonly #sent = new Set<number>();
  readonly #doubtful = new Set<number>();
  /** Whoever waits for a change of an endpoint. */
  readonly #changed = new Set<() => void>();
  #counter = 0;
  #isStopping = false;
  #ordered: (() => void) | undefined;

  private constructor(
    name: string,
    mortals: readonly Mortal[],
    echo: RpmsgEndpoint,
    source: RpmsgEndpoint,
  ) {
    this.#name = name;
    this.#mortals = mortals;
    this.echo = echo;
    this.source = source;
  }

  static async start(
    client: RpmsgClient,
    remote: string,
    vdev: number,
    mortals: readonly Mortal[],
  ): Promise<VdevLoad> {
    const [echo, source] = await Promise.all(
      ['echo', 'source'].map((name) => client.open(channelPath(remote, vdev, name))),
    );
    if (echo === undefined || source === undefined) throw new Error('no endpoint');
    const load = new VdevLoad(`vdev ${vdev}`, mortals, echo, source);
    for (const { path } of [echo, source]) {
      const rule = { sender: SERVICE, path, member: 'PropertiesChanged' };
      await client.bus.subscribe(rule, () => load.#onChange());
    }
    await echo.subscribe((message) => load.#onEcho(message));
    await source.subscribe((message) => load.#onSource(message));
    for (let loop = 0; loop < callsInFlight; loop++) load.#run(load.#feed());
    load.#run(load.#order());
    return load;
  }

  get sent(): number {
    return this.#sent.size;
  }

  get doubtful(): number {
    return this.#doubtful.size;
  }

  /** Messages that came back, and that the source sent. */
  get echoed(): number {
    return this.#echoes.carried.length;
  }

  get sourced(): number {
    return this.#sourced.carried.length;
  }

  /** Resolves when every call has been answered. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#ordered?.();
    await Promise.all(this.#loops);
  }

  /** Numbers of messages that entered the ring and did not come back. */
  get missing(): number[] {
    const back = new Set(this.#echoes.carried);
    return [...this.#sent].filter((n) => !back.has(n));
  }

  /** Numbers that came back although their send is known to have failed. */
  get unsent(): number[] {
    return this.#echoes.carried.filter((n) => !this.#sent.has(n) && !this.#doubtful.has(n));
  }

  /** Where it stands, for whoever waits in vain. */
  async describe(): Promise<string> {
    const [connected, stats] = await Promise.all([
      this.echo.get('Connected').catch(String),
      this.echo.stats().catch(() => ({})),
    ]);
    const { sent, doubtful, failed, echoed, sourced, problems } = this;
    const counts = { connected, sent, doubtful, failed, echoed, sourced, ...stats };
    const print = (_key: string, value: unknown) =>
      typeof value === 'bigint' ? Number(value) : value;
    return `${this.#name}: ${JSON.stringify(counts, print)} ${problems.join('; ')}`;
  }

  #run(loop: Promise<void>): void {
    this.#loops.push(loop.catch((error: Error) => this.#problem(String(error))));
  }

  async #feed(): Promise<void> {
    while (!this.#isStopping) {
      const n = this.#counter++;
      const outcome = await this.#send(this.echo, pattern(n, sizeOf(n)));
      if (outcome === 'sent') this.#sent.add(n);
      else if (outcome === 'doubtful') this.#doubtful.add(n);
      if (outcome !== 'sent') await this.#connected(this.echo);
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
      const outcome = await this.#send(this.source, order);
      const late = new Promise<void>((resolve) => setTimeout(resolve, orderTimeoutMs));
      if (outcome === 'sent') await Promise.race([done, late]);
      else await this.#connected(this.source);
    }
  }

  async #send(endpoint: RpmsgEndpoint, data: Buffer): Promise<'sent' | 'failed' | 'doubtful'> {
    try {
      await endpoint.send(data);
      return 'sent';
    } catch (error) {
      this.failed++;
      const { name, message } = error as Error;
      if (name === doubt && this.#mortals.includes('daemon')) return 'doubtful';
      if (remoteExcuses.includes(name)) this.#ordered?.();
      if (!this.#isExcused(name)) this.#problem(`a send ended with ${name}: ${message}`);
      return 'failed';
    }
  }

  #isExcused(name: string): boolean {
    return (
      (this.#mortals.includes('remote') && remoteExcuses.includes(name)) ||
      (this.#mortals.includes('daemon') && daemonExcuses.includes(name))
    );
  }

  /** Asks when something has changed, and otherwise seldom: it is no load by itself. */
  async #connected(endpoint: RpmsgEndpoint): Promise<void> {
    const deadline = performance.now() + connectTimeoutMs;
    while (!this.#isStopping && performance.now() < deadline) {
      const changed = new Promise<void>((resolve) => {
        this.#changed.add(resolve);
        setTimeout(resolve, lookEachMs);
      });
      if ((await endpoint.get('Connected').catch(() => false)) === true) return;
      await changed;
    }
    if (!this.#isStopping) throw new Error(`not connected in ${connectTimeoutMs} ms`);
  }

  #onChange(): void {
    const waiting = [...this.#changed];
    this.#changed.clear();
    for (const resolve of waiting) resolve();
  }

  #onEcho({ seq, data }: Message): void {
    const n = data.readUInt32LE();
    const last = this.#echoes.carried.at(-1) ?? -1;
    if (!this.#take(this.#echoes, Number(seq), n)) return;
    if (n <= last) this.#problem(`echo ${n} after ${last}`);
    if (!data.equals(pattern(n, sizeOf(n)))) this.#problem(`echo ${n} is altered`);
  }

  #onSource({ seq, data }: Message): void {
    const n = data.readUInt32LE();
    if (!this.#take(this.#sourced, Number(seq), n)) return;
    if (!data.equals(pattern(n, orderBytes))) this.#problem(`source ${n} is altered`);
    if (n === orderCount - 1) this.#ordered?.();
  }

  #take(sequence: Sequence, seq: number, n: number): boolean {
    const mayRepeat = this.#mortals.includes('daemon');
    return sequence.take(seq, n, mayRepeat, (what) => this.#problem(what));
  }

  #problem(what: string): void {
    if (this.problems.length < 20) this.problems.push(`${this.#name}: ${what}`);
  }
}

/** A load on each of a remote's first `vdevs`, with a client each: that many sends may wait. */
export async function loadAll(
  newClient: () => Promise<RpmsgClient>,
  remote: string,
  vdevs: number,
  mortals: readonly Mortal[],
): Promise<VdevLoad[]> {
  const all = Array.from({ length: vdevs }, async (_, vdev) =>
    VdevLoad.start(await newClient(), remote, vdev, mortals),
  );
  return await Promise.all(all);
}

/** Waits until `check` holds for every load; fails with where each of them stands. */
export async function untilAll(
  what: string,
  loads: readonly VdevLoad[],
  check: (load: VdevLoad, vdev: number) => boolean,
): Promise<void> {
  try {
    await until(what, () => loads.every(check));
  } catch (error) {
    const told = await Promise.all(loads.map((load) => load.describe()));
    throw new Error([(error as Error).message, ...told].join('\n'));
  }
}
