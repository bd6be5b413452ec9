// SPDX-License-Identifier: Apache-2.0
// The native link behind LinkApi: numbers get their meaning back, and errors their sentences.

import { type ErrorCode, RpmsgdError } from '../util/errors.ts';
import { type EarlyLink, nativeSetup } from './early-link.ts';
import { decodeEvents } from './events.ts';
import type { LinkApi } from './link-api.ts';
import { loadAddon, type NativeLink } from './native.ts';
import type {
  CaptureSetup,
  DeviceStats,
  EndpointSetup,
  EndpointStats,
  LinkListener,
  OpenedCapture,
  OpenedRemote,
  RemoteSetup,
  SendRequest,
  SendStart,
  StreamSetup,
  TraceRead,
} from './types.ts';

/**
 * Loads the addon and makes the process's link. Nothing is opened yet; with `early`, what was opened
 * early is opened, and whoever opens the same remotes in the same order finds them so.
 */
export function openLink(listener: LinkListener, early?: EarlyLink): LinkApi {
  if (early !== undefined) return new AddonLink(early.native, listener, early);
  const addon = loadAddon();
  return new AddonLink(new addon.Link(), listener);
}

class AddonLink implements LinkApi {
  readonly #native: NativeLink;
  readonly #listener: LinkListener;
  readonly #early: EarlyLink | undefined;
  #openedEarly = 0;
  #isClosed = false;

  constructor(native: NativeLink, listener: LinkListener, early?: EarlyLink) {
    this.#native = native;
    this.#listener = listener;
    this.#early = early;
  }

  openRemote(setup: RemoteSetup): OpenedRemote {
    const opened =
      this.#early?.opened[this.#openedEarly++] ?? this.#native.openRemote(nativeSetup(setup));
    if ('index' in opened) return opened;
    throw new RpmsgdError(
      opened.code as ErrorCode,
      `cannot open remote "${setup.name}": ${opened.error}`,
    );
  }

  start(realtimePriority = 0, busyPollUs = 0): void {
    if (this.#early?.isStarted === true) {
      // From here on; what was reported before is there to be fetched.
      this.#early.onEvents = () => this.#onEvents();
      setImmediate(() => this.#onEvents());
      return;
    }
    const problem = this.#native.start(() => this.#onEvents(), realtimePriority, busyPollUs);
    if (problem !== '') throw new RpmsgdError('os', problem);
  }

  openEndpoint(setup: EndpointSetup): void {
    const code = this.#native.openEndpoint(
      setup.id,
      setup.remote,
      setup.vdev,
      setup.local,
      setup.rxQueue,
      setup.txCredits,
      setup.nextSeq,
    );
    if (code === 'ok') return;
    const address = `0x${setup.local.toString(16)}`;
    const message =
      code === 'address_in_use'
        ? `address ${address} is in use on vdev ${setup.vdev}`
        : `cannot open an endpoint at address ${address} of vdev ${setup.vdev}: ${code}`;
    throw new RpmsgdError(code as ErrorCode, message);
  }

  dropUnclaimed(): void {
    this.#native.dropUnclaimed();
  }

  closeEndpoint(endpoint: number): void {
    this.#native.closeEndpoint(endpoint);
  }

  grant(endpoint: number, limitSeq: number): void {
    this.#native.grant(endpoint, limitSeq);
  }

  sync(endpoint: number, tag: number): void {
    this.#native.sync(endpoint, tag);
  }

  release(endpoint: number, upToSeq: number): void {
    this.#native.release(endpoint, upToSeq);
  }

  noteReleased(endpoint: number, upToSeq: number): void {
    this.#native.noteReleased(endpoint, upToSeq);
  }

  send(request: SendRequest): SendStart {
    const start = this.#native.send(
      request.endpoint,
      request.destination,
      request.data,
      request.caller,
      request.timeoutMs,
      request.token,
    );
    // Towards users a ring that broke a rule is a faulted device.
    return start === 'peer_fault' ? 'faulted' : (start as SendStart);
  }

  cancelCaller(caller: number): void {
    this.#native.cancelCaller(caller);
  }

  reinitialize(remote: number): void {
    this.#native.reinitialize(remote);
  }

  packetPair(): readonly [number, number] {
    const pair = loadAddon().packetPair();
    if (typeof pair !== 'number') return pair;
    throw new RpmsgdError('os', `cannot make a pair of sockets: error ${-pair}`);
  }

  openStream(setup: StreamSetup): void {
    const { endpoint, fd, flags, hold, peer, generation, firstSeq } = setup;
    const code = this.#native.openStream(endpoint, fd, flags, hold, peer, generation, firstSeq);
    if (code === 'ok') return;
    throw new RpmsgdError(code as ErrorCode, `cannot open a stream of ${hold} messages: ${code}`);
  }

  resumeStream(endpoint: number, fd: number): boolean {
    return this.#native.resumeStream(endpoint, fd);
  }

  dropUnresumed(): void {
    this.#native.dropUnresumed();
  }

  closeStream(endpoint: number): void {
    this.#native.closeStream(endpoint);
  }

  setStreamPeer(endpoint: number, peer: number, generation: number): void {
    this.#native.setStreamPeer(endpoint, peer, generation);
  }

  guard(remote: number, vdev: number, addresses: readonly number[]): void {
    this.#native.guard(remote, vdev, addresses);
  }

  deviceStats(remote: number, vdev: number): DeviceStats {
    const values = this.#native.deviceStats(remote, vdev);
    const at = (index: number): bigint => values[index] ?? 0n;
    return {
      rxMessages: at(0),
      rxBytes: at(1),
      rxWords: at(2),
      rxDropped: at(3),
      rxNoEndpoint: at(4),
      rxMalformed: at(5),
      rxFaults: at(6),
      txMessages: at(7),
      txBytes: at(8),
      txWords: at(9),
      txWaits: at(10),
      txTimeouts: at(11),
      txFaults: at(12),
      txUnused: at(13),
    };
  }

  endpointStats(endpoint: number): EndpointStats {
    const values = this.#native.endpointStats(endpoint);
    const at = (index: number): bigint => values[index] ?? 0n;
    return {
      rxMessages: at(0),
      rxBytes: at(1),
      rxDropped: at(2),
      txMessages: at(3),
      txBytes: at(4),
      rxForeign: at(5),
      rxEmpty: at(6),
      txRefused: at(7),
      txDropped: at(8),
    };
  }

  deviceStatus(remote: number, vdev: number): number {
    return this.#native.deviceStatus(remote, vdev);
  }

  readTrace(remote: number, offset: number, maxBytes: number): TraceRead {
    const read = this.#native.readTrace(remote, offset, maxBytes);
    if ('data' in read) return read;
    throw new RpmsgdError(read.code as ErrorCode, read.error);
  }

  openCapture(setup: CaptureSetup): OpenedCapture {
    const opened = this.#native.openCapture(setup);
    if ('fd' in opened) return opened;
    throw new RpmsgdError(opened.code as ErrorCode, opened.error);
  }

  heartbeat(): number {
    return this.#native.heartbeat();
  }

  close(): void {
    this.#isClosed = true;
    this.#native.close();
  }

  #onEvents(): void {
    if (this.#isClosed) return;
    const batch = this.#native.drain();
    if (batch !== null) decodeEvents(batch, this.#listener);
  }
}
