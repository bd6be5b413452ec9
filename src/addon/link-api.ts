// SPDX-License-Identifier: Apache-2.0
// The link as the rest of the daemon knows it. One in a process; every method is for the main thread,
// returns at once, and what happens later comes through the LinkListener.

import type { ErrorCode } from '../util/errors.ts';
import type {
  CaptureSetup,
  DeviceStats,
  EndpointSetup,
  EndpointStats,
  OpenedCapture,
  OpenedRemote,
  RemoteSetup,
  SendRequest,
  SendStart,
  StreamSetup,
  TraceRead,
} from './types.ts';

export interface LinkApi {
  /**
   * Opens the remote's platform, maps its memory and state and prepares everything, touching no
   * register. Says what an earlier process left: its endpoints are open from here on and keep what
   * comes for them. Throws RpmsgdError naming the value, the rule and what to change.
   */
  openRemote(setup: RemoteSetup): OpenedRemote;
  /**
   * Starts the link thread and the lives of all remotes opened so far. Once. realtimePriority 1..99
   * asks for SCHED_FIFO; throws RpmsgdError os when that is not allowed, and nothing was started.
   * busyPollUs: how long the thread looks on before it sleeps.
   */
  start(realtimePriority?: number, busyPollUs?: number): void;
  /**
   * A kept endpoint goes on where it was, by its id, with the queue and the credits it had; at
   * another place that is invalid_argument. Throws RpmsgdError address_in_use when the vdev has an
   * endpoint there, and quota_exceeded beyond 4,096 endpoints on one vdev.
   */
  openEndpoint(setup: EndpointSetup): void;
  /** Closes every kept endpoint that was not opened again; their messages are gone. */
  dropUnclaimed(): void;
  /** Its waiting sends end with no_such_endpoint; endpointClosed follows. */
  closeEndpoint(endpoint: number): void;
  /** Messages with seq < limit are handed over as they come; a later call only raises the limit. */
  grant(endpoint: number, limitSeq: number): void;
  /** Asks for synced(endpoint, tag). */
  sync(endpoint: number, tag: number): void;
  /** Messages with seq < upTo are delivered for good: their slots may be used again. */
  release(endpoint: number, upToSeq: number): void;
  /**
   * As release(), for the process after this one only, and without waking anybody: nothing comes
   * between this and what the caller does next. release() follows.
   */
  noteReleased(endpoint: number, upToSeq: number): void;
  /** Straight into the ring when it can; the outcome of 'queued' comes through sendDone. */
  send(request: SendRequest): SendStart;
  /** Forgets every waiting send of this caller: none is sent from here on, and no sendDone comes. */
  cancelCaller(caller: number): void;
  /** Cold start of the remote's rings; safe only if its RPMsg stack is link-down. */
  reinitialize(remote: number): void;
  /** Two connected SOCK_SEQPACKET sockets, close-on-exec, the caller's. Throws RpmsgdError os. */
  packetPair(): readonly [number, number];
  /**
   * The endpoint's payload goes through a socket from now on; streamOver follows once. Throws
   * RpmsgdError busy when it has one, quota_exceeded beyond 1,024 on one vdev, and invalid_argument
   * when more than half of the vdev's slots would be held.
   */
  openStream(setup: StreamSetup): void;
  /** Goes on with a stream of an earlier process. False: there was none, and `fd` is the caller's. */
  resumeStream(endpoint: number, fd: number): boolean;
  /** Streams of an earlier process whose socket is not there: their endpoints go on without. */
  dropUnresumed(): void;
  /** Without a stream: no effect. */
  closeStream(endpoint: number): void;
  /** Holds in life `generation`; told late it has no effect. 0xffffffff: not known. */
  setStreamPeer(endpoint: number, peer: number, generation: number): void;
  /** Addresses that clients with headers of their own may not send to. */
  guard(remote: number, vdev: number, addresses: readonly number[]): void;
  deviceStats(remote: number, vdev: number): DeviceStats;
  endpointStats(endpoint: number): EndpointStats;
  /** The virtio status byte (virtio 1.2 §2.1): that of the resource table where there is one. */
  deviceStatus(remote: number, vdev: number): number;
  /**
   * Text of the remote's trace buffer from `offset` on, 65,536 bytes at most; from 0 where the text
   * does not reach so far any more. Throws RpmsgdError not_supported without a buffer to read.
   */
  readTrace(remote: number, offset: number, maxBytes: number): TraceRead;
  /**
   * Begins a capture: what passes through the places goes into a pipe as pcapng, and what its reader
   * leaves no room for is counted. Close-on-exec. captureOver follows when its reader has closed it.
   * Throws RpmsgdError os.
   */
  openCapture(setup: CaptureSetup): OpenedCapture;
  /** Completed turns of the link thread; nudges it, so that a live thread always moves on. */
  heartbeat(): number;
  /**
   * Leaves the rings consistent with interrupts masked and ends the thread. Idempotent; nothing is
   * reported afterwards, so whoever has sends waiting ends them first with shutting_down.
   */
  close(): void;
}

/** What fails a RemoteSetup before anything is touched, shared with the configuration's checks. */
export interface SetupProblem {
  readonly code: ErrorCode;
  readonly message: string;
}
