// SPDX-License-Identifier: Apache-2.0
// A link without a thread: queues, grants, drops and waiting sends as the real one has them, and a
// remote whose every move the test makes. What it reports is reported by flush().

import { openSync } from 'node:fs';
import type { LinkApi } from '../../../src/addon/link-api.ts';
import type {
  CaptureSetup,
  DeviceState,
  DeviceStats,
  EndpointSetup,
  EndpointStats,
  KeptEndpoint,
  LinkListener,
  OpenedCapture,
  OpenedRemote,
  ReceivedMessage,
  RemoteSetup,
  RemoteState,
  ResetCause,
  Resume,
  SendRequest,
  SendStart,
  StreamSetup,
  TraceRead,
} from '../../../src/addon/types.ts';
import { type ErrorCode, RpmsgdError } from '../../../src/util/errors.ts';

interface FakeEndpoint {
  setup: EndpointSetup;
  /** Of an earlier process, and not opened again. */
  isKept: boolean;
  queue: ReceivedMessage[];
  handedOver: number;
  granted: number;
  nextSeq: number;
  syncs: number[];
  rxMessages: number;
  rxDropped: number;
  txMessages: number;
}

export interface SentMessage {
  readonly endpoint: number;
  readonly local: number;
  readonly destination: number;
  readonly data: Buffer;
  readonly caller: number;
}

function newEndpoint(setup: EndpointSetup): FakeEndpoint {
  return {
    setup,
    isKept: false,
    queue: [],
    handedOver: 0,
    granted: setup.nextSeq,
    nextSeq: setup.nextSeq,
    syncs: [],
    rxMessages: 0,
    rxDropped: 0,
    txMessages: 0,
  };
}

function describeKept({ setup: { id, vdev, local }, queue, nextSeq }: FakeEndpoint): KeptEndpoint {
  return { id, vdev, local, firstSeq: queue[0]?.seq ?? nextSeq, nextSeq };
}

export class FakeLink implements LinkApi {
  readonly endpoints = new Map<number, FakeEndpoint>();
  readonly sent: SentMessage[] = [];
  readonly waiting: SendRequest[] = [];
  readonly cancelled: number[] = [];
  readonly released = new Map<number, number>();
  readonly reinitialized: number[] = [];
  readonly streams = new Map<number, StreamSetup>();
  readonly captures: CaptureSetup[] = [];
  guarded: readonly number[] = [];
  /** Transmit buffers that are free, all vdevs together. */
  freeBuffers = Number.POSITIVE_INFINITY;
  /** What the next send answers, whatever else holds. */
  nextSend: SendStart | undefined;
  generation = 1;
  /** Undefined: the remote has no trace buffer. */
  trace: string | undefined;
  isClosed = false;
  listener!: LinkListener;
  #remotes = 0;
  /** Streams of the process before, whose sockets have not come. */
  readonly #unresumed = new Set<number>();
  #resume: Resume = 'cold';
  #events: (() => void)[] = [];

  /**
   * The link of the next process, after this one died: it keeps the endpoints with all that was not
   * released, or nothing.
   */
  restart(resume: Resume = 'resumed', generation = this.generation): FakeLink {
    const next = new FakeLink();
    next.#resume = resume;
    next.generation = generation;
    if (resume === 'lost' || resume === 'adopted') return next;
    for (const [id, setup] of this.streams) {
      next.streams.set(id, setup);
      next.#unresumed.add(id);
    }
    for (const [id, { setup, queue, nextSeq }] of this.endpoints) {
      next.endpoints.set(id, { ...newEndpoint(setup), isKept: true, queue: [...queue], nextSeq });
    }
    return next;
  }

  openRemote(_setup: RemoteSetup): OpenedRemote {
    const index = this.#remotes++;
    const endpoints = [...this.endpoints.values()]
      .filter(({ setup }) => setup.remote === index)
      .map(describeKept);
    return { index, resume: this.#resume, reason: 'test', generation: this.generation, endpoints };
  }

  start(): void {}

  openCapture(setup: CaptureSetup): OpenedCapture {
    this.captures.push(setup);
    return { id: this.captures.length, fd: openSync('/dev/null', 'r') };
  }

  openEndpoint(setup: EndpointSetup): void {
    const known = this.endpoints.get(setup.id);
    if (known !== undefined) {
      this.#claim(known, setup);
      return;
    }
    if (this.endpointAt(setup.vdev, setup.local, setup.remote) !== undefined) {
      throw new RpmsgdError('address_in_use', `address ${setup.local} is in use`);
    }
    this.endpoints.set(setup.id, newEndpoint(setup));
  }

  dropUnclaimed(): void {
    for (const [id, { isKept }] of this.endpoints) if (isKept) this.endpoints.delete(id);
  }

  closeEndpoint(id: number): void {
    const own = this.waiting.filter(({ endpoint }) => endpoint === id);
    for (const request of own) this.#finish(request, 'no_such_endpoint');
    this.#events.push(() => {
      this.endpoints.delete(id);
      this.listener.endpointClosed(id);
    });
  }

  grant(id: number, limitSeq: number): void {
    const endpoint = this.#get(id);
    endpoint.granted = Math.max(endpoint.granted, limitSeq);
  }

  sync(id: number, tag: number): void {
    this.#get(id).syncs.push(tag);
  }

  release(id: number, upToSeq: number): void {
    const endpoint = this.#get(id);
    this.released.set(id, upToSeq);
    while (endpoint.handedOver > 0 && (endpoint.queue[0]?.seq ?? Infinity) < upToSeq) {
      endpoint.queue.shift();
      endpoint.handedOver--;
    }
  }

  noteReleased(): void {}

  send(request: SendRequest): SendStart {
    const forced = this.nextSend;
    this.nextSend = undefined;
    if (forced !== undefined) return forced;
    if (this.waiting.length === 0 && this.freeBuffers > 0) {
      this.#post(request);
      return 'sent';
    }
    if (request.timeoutMs === 0) return 'would_block';
    this.waiting.push({ ...request, data: Buffer.from(request.data) });
    return 'queued';
  }

  cancelCaller(caller: number): void {
    this.cancelled.push(caller);
    for (const request of this.waiting.filter((one) => one.caller === caller)) {
      this.waiting.splice(this.waiting.indexOf(request), 1);
    }
  }

  reinitialize(remote: number): void {
    this.reinitialized.push(remote);
  }

  deviceStats(): DeviceStats {
    const names = [
      ...['rxMessages', 'rxBytes', 'rxWords', 'rxDropped', 'rxNoEndpoint', 'rxMalformed'],
      ...['rxFaults', 'txMessages', 'txBytes', 'txWords', 'txWaits', 'txTimeouts', 'txFaults'],
      'txUnused',
    ];
    return Object.fromEntries(names.map((name) => [name, 0n])) as unknown as DeviceStats;
  }

  endpointStats(id: number): EndpointStats {
    const { rxMessages, rxDropped, txMessages } = this.#get(id);
    return {
      rxMessages: BigInt(rxMessages),
      rxBytes: 0n,
      rxDropped: BigInt(rxDropped),
      txMessages: BigInt(txMessages),
      txBytes: 0n,
      rxForeign: 0n,
      rxEmpty: 0n,
      txRefused: 0n,
      txDropped: 0n,
    };
  }

  packetPair(): readonly [number, number] {
    return [openSync('/dev/null', 'r'), openSync('/dev/null', 'r')];
  }

  openStream(setup: StreamSetup): void {
    this.streams.set(setup.endpoint, setup);
  }

  resumeStream(endpoint: number): boolean {
    return this.#unresumed.delete(endpoint);
  }

  dropUnresumed(): void {
    for (const id of this.#unresumed) this.streams.delete(id);
  }

  closeStream(endpoint: number): void {
    this.endStream(endpoint);
  }

  setStreamPeer(endpoint: number, peer: number, generation: number): void {
    const setup = this.streams.get(endpoint);
    if (setup !== undefined) this.streams.set(endpoint, { ...setup, peer, generation });
  }

  guard(_remote: number, _vdev: number, addresses: readonly number[]): void {
    this.guarded = addresses;
  }

  readTrace(_remote: number, offset: number, maxBytes: number): TraceRead {
    if (this.trace === undefined) throw new RpmsgdError('not_supported', 'no trace buffer');
    const from = offset > this.trace.length ? 0 : offset;
    const data = Buffer.from(this.trace.slice(from, from + maxBytes));
    return { data, nextOffset: from + data.length };
  }

  deviceStatus(): number {
    return 7;
  }

  heartbeat(): number {
    return 0;
  }

  close(): void {
    this.isClosed = true;
  }

  // What the test does in the remote's place.

  endpointAt(vdev: number, local: number, remote = 0): FakeEndpoint | undefined {
    return [...this.endpoints.values()].find(
      ({ setup }) => setup.vdev === vdev && setup.local === local && setup.remote === remote,
    );
  }

  /** The remote sends to a local address. False: nobody is there. */
  receive(vdev: number, local: number, source: number, data: Uint8Array | string): boolean {
    const endpoint = this.endpointAt(vdev, local);
    if (endpoint === undefined) return false;
    if (endpoint.queue.length >= endpoint.setup.rxQueue) {
      endpoint.queue.shift();
      if (endpoint.handedOver > 0) endpoint.handedOver--;
      else endpoint.rxDropped++;
    }
    const seq = endpoint.nextSeq++;
    const { generation } = this;
    endpoint.queue.push({ seq, source, generation, timeNs: 5n, data: Buffer.from(data) });
    endpoint.rxMessages++;
    return true;
  }

  announce(name: string | Uint8Array, address: number, kind = 0, vdev = 0): void {
    const payload = Buffer.alloc(40);
    Buffer.from(name).copy(payload);
    payload.writeUInt32LE(address, 32);
    payload.writeUInt32LE(kind, 36);
    this.receive(vdev, 53, address, payload);
    this.flush();
  }

  withdraw(name: string, address: number, vdev = 0): void {
    this.announce(name, address, 1, vdev);
  }

  setDevice(state: DeviceState, vdev = 0, remote = 0): void {
    this.#events.push(() => this.listener.deviceState(remote, vdev, state, 'test'));
    this.flush();
  }

  setRemote(state: RemoteState, generation = this.generation, remote = 0): void {
    this.#events.push(() => this.listener.remoteState(remote, state, generation, 'test'));
    this.generation = generation;
    this.flush();
  }

  /** A new life, as the link reports it up to its rings being fresh. */
  reset(cause: ResetCause, vdevs = 1): void {
    const generation = this.generation + 1;
    const timeNs = process.hrtime.bigint();
    this.#events.push(() => this.listener.remoteReset(0, generation, cause, timeNs));
    this.setRemote('down', generation);
    for (let vdev = 0; vdev < vdevs; vdev++) this.setDevice('down', vdev);
    this.setRemote('waiting');
  }

  /** The remote consumes: so many buffers come free, and who waits goes first. */
  consume(buffers: number): void {
    this.freeBuffers += buffers;
    while (this.freeBuffers > 0) {
      const request = this.waiting[0];
      if (request === undefined) break;
      this.#post(request);
      this.#finish(request, 'sent');
    }
    this.flush();
  }

  /** Ends all waiting sends. */
  failWaiting(outcome: ErrorCode): void {
    for (const request of [...this.waiting]) this.#finish(request, outcome);
    this.flush();
  }

  /** Its client hangs up, or the link ends it. */
  endStream(endpoint: number): void {
    this.streams.delete(endpoint);
    const nextSeq = describeKept(this.#get(endpoint)).firstSeq;
    this.#events.push(() => this.listener.streamOver(endpoint, nextSeq));
  }

  /** One batch: everything there is to report. */
  flush(): void {
    for (let again = true; again; ) {
      const events = this.#events;
      this.#events = [];
      for (const event of events) event();
      again = this.#handOver() || this.#events.length > 0;
    }
  }

  #claim(known: FakeEndpoint, setup: EndpointSetup): void {
    const { vdev, local } = known.setup;
    if (!known.isKept || vdev !== setup.vdev || local !== setup.local) {
      throw new RpmsgdError('invalid_argument', `endpoint ${setup.id} is another one`);
    }
    known.isKept = false;
    known.setup = setup;
    known.granted = describeKept(known).firstSeq;
  }

  #handOver(): boolean {
    let did = false;
    for (const [id, endpoint] of this.endpoints) {
      for (;;) {
        const message = endpoint.queue[endpoint.handedOver];
        if (message === undefined || message.seq >= endpoint.granted) break;
        endpoint.handedOver++;
        did = true;
        this.listener.message(id, message);
      }
      for (const tag of endpoint.syncs.splice(0)) {
        did = true;
        this.listener.synced(id, tag);
      }
    }
    return did;
  }

  #post({ endpoint, destination, data, caller }: SendRequest): void {
    this.freeBuffers--;
    const fake = this.#get(endpoint);
    fake.txMessages++;
    const { local } = fake.setup;
    this.sent.push({ endpoint, local, destination, data: Buffer.from(data), caller });
  }

  #finish(request: SendRequest, outcome: 'sent' | ErrorCode): void {
    this.waiting.splice(this.waiting.indexOf(request), 1);
    this.#events.push(() => this.listener.sendDone(request.token, outcome));
  }

  #get(id: number): FakeEndpoint {
    const endpoint = this.endpoints.get(id);
    if (endpoint === undefined) throw new Error(`the link has no endpoint ${id}`);
    return endpoint;
  }
}
