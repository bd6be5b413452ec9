// SPDX-License-Identifier: Apache-2.0
// Loads rpmsgd.node. The only place that knows where the binary is and what it exports raw.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { RpmsgdError } from '../util/errors.ts';
import type {
  CaptureSetup,
  MuGeneration,
  MuLook,
  OpenedCapture,
  OpenedRemote,
  RemoteSetup,
  TraceRead,
} from './types.ts';

export type LockOutcome =
  | { readonly status: 'locked' }
  | { readonly status: 'held'; readonly holder: number }
  | { readonly status: 'failed'; readonly message: string };

/** The wrapped native link: numbers and bytes only; link.ts gives them meaning. */
export interface NativeLink {
  openRemote(setup: NativeRemoteSetup): OpenedRemote | { error: string; code: string };
  /** Empty when started, else a sentence that says why not. */
  start(onEvents: () => void, realtimePriority: number, busyPollUs: number): string;
  openEndpoint(
    id: number,
    remote: number,
    vdev: number,
    local: number,
    rxQueue: number,
    txCredits: number,
    nextSeq: number,
  ): string;
  dropUnclaimed(): void;
  closeEndpoint(id: number): void;
  grant(id: number, limitSeq: number): void;
  sync(id: number, tag: number): void;
  release(id: number, upToSeq: number): void;
  noteReleased(id: number, upToSeq: number): void;
  /** sent, queued, or the name of an error. */
  send(
    id: number,
    destination: number,
    data: Uint8Array,
    caller: number,
    timeoutMs: number,
    token: number,
  ): string;
  cancelCaller(caller: number): void;
  reinitialize(remote: number): void;
  /** ok, or the name of an error; `fd` is taken over either way. */
  openStream(
    id: number,
    fd: number,
    flags: number,
    hold: number,
    peer: number,
    generation: number,
    firstSeq: number,
  ): string;
  resumeStream(id: number, fd: number): boolean;
  closeStream(id: number): void;
  dropUnresumed(): void;
  setStreamPeer(id: number, peer: number, generation: number): void;
  guard(remote: number, vdev: number, addresses: readonly number[]): void;
  deviceStats(remote: number, vdev: number): BigUint64Array;
  endpointStats(id: number): BigUint64Array;
  deviceStatus(remote: number, vdev: number): number;
  readTrace(
    remote: number,
    offset: number,
    maxBytes: number,
  ): TraceRead | { error: string; code: string };
  openCapture(setup: CaptureSetup): OpenedCapture | { error: string; code: string };
  heartbeat(): number;
  /** The next batch of event records, or null when there is none. */
  drain(): Buffer | null;
  close(): void;
}

/** The keys of the platform beside the others; `kind` says which platform it is. */
export type NativeRemoteSetup = Omit<RemoteSetup, 'name' | 'platform'> & RemoteSetup['platform'];

/** What a socket is watched for, and what it is ready for: a sum of these. */
export const Ready = { readable: 1, writable: 2 } as const;

interface NativeSocket {
  watch(events: number): void;
  close(): void;
}

export interface NativeBusSocket extends NativeSocket {
  /** The bytes that came, 0 at the end, -errno; descriptors that came with them go into `fds`. */
  read(fds: number[]): Buffer | number;
  /** How many bytes after the first `from` were taken, or -errno. */
  write(bytes: Uint8Array, from: number): number;
}

export interface NativePacketSocket extends NativeSocket {
  /** The packets that came, 0 at the end, -errno. In place of a packet that is too long its size. */
  receive(): (Buffer | number)[] | number;
  /** How many packets after the first `from` were taken, or -errno. */
  send(packets: readonly Uint8Array[], from: number): number;
  shutdown(): number;
  untaken(): number;
}

export interface NativeTtyRelay {
  close(): void;
}

type OnReady = (events: number) => void;

export interface NativeAddon {
  readonly Link: new () => NativeLink;
  readonly BusSocket: new (fd: number, onReady: OnReady) => NativeBusSocket;
  readonly PacketSocket: new (
    fd: number,
    onReady: OnReady,
    maxPacketBytes: number,
    hasEmptyPackets: boolean,
  ) => NativePacketSocket;
  readonly TtyRelay: new (
    master: number,
    packets: number,
    maxMessageBytes: number,
    maxPacketBytes: number,
    onOver: (error: number) => void,
  ) => NativeTtyRelay;
  openPty(): number;
  slavePath(master: number): string | number;
  /** gid null: the slave keeps its group. */
  grantSlave(master: number, gid: number | null, mode: number): number;
  connectSocket(path: string): number;
  sendFds(socketFd: number, bytes: Uint8Array, fds: readonly number[]): number;
  notify(socketPath: string, text: string, fds?: readonly number[]): number;
  notifyBarrier(socketPath: string): number;
  closeOnExec(fd: number): number;
  journalSend(socketPath: string, bytes: Uint8Array): number;
  /** Two ends of a new SOCK_SEQPACKET pair, close-on-exec, or -errno. */
  packetPair(): readonly [number, number] | number;
  lockFile(path: string): LockOutcome;
  /** -errno of opening or mapping. */
  readMuState(path: string, map: number, offset: number, generation: MuGeneration): MuLook | number;
}

declare const __dirname: string | undefined;

let loaded: NativeAddon | undefined;

/** Installed, the binary lies beside the bundle; in a checkout, under build/. */
function candidates(): string[] {
  const here = typeof __dirname === 'string' ? __dirname : dirname(fileURLToPath(import.meta.url));
  return [
    join(here, 'rpmsgd.node'),
    join(here, '..', 'build', 'rpmsgd.node'),
    join(here, '..', '..', 'build', 'rpmsgd.node'),
  ];
}

/** Throws RpmsgdError os where there is none. */
export function addonPath(): string {
  const paths = candidates();
  const path = paths.find((candidate) => existsSync(candidate));
  if (path !== undefined) return path;
  throw new RpmsgdError('os', `cannot find the addon: looked for ${paths.join(', ')}`);
}

export function loadAddon(): NativeAddon {
  if (loaded !== undefined) return loaded;
  const path = addonPath();
  const require = createRequire(path);
  loaded = require(path) as NativeAddon;
  return loaded;
}
