// SPDX-License-Identifier: Apache-2.0
// What the native link tells JavaScript and takes from it. Plain data only: no handle into native
// memory ever reaches this side, and every Buffer is a copy.

import type { ErrorCode } from '../util/errors.ts';

export const remoteStates = [
  'offline',
  'waiting',
  'attached',
  'quiescing',
  'down',
  'faulted',
] as const;
export type RemoteState = (typeof remoteStates)[number];

export const deviceStates = ['down', 'offered', 'up', 'faulted'] as const;
export type DeviceState = (typeof deviceStates)[number];

/** What ended a life: the system controller, the remote's own evidence of a new one, or a hand. */
export const resetCauses = [
  'rebooted',
  'rxdb',
  'flag',
  'reinitialize',
  'silent-restart',
  'status',
] as const;
export type ResetCause = (typeof resetCauses)[number];

/** What says that a remote is ready: its doorbell, its MU flag, nothing in time, its status byte. */
export const evidences = ['rxdb', 'flag', 'timeout', 'status'] as const;
export type Evidence = (typeof evidences)[number];

/** Register layouts of the MU. */
export type MuGeneration = 'v1' | 'imx7ulp' | 'v2';

/**
 * Status and control registers of our side of a MU at one moment. Sets have bit n for channel n, or for
 * general interrupt n.
 */
export interface MuState {
  /** TE: our word was taken. */
  readonly transmitEmpty: number;
  /** RF: a word waits. */
  readonly receiveFull: number;
  /** GIP. */
  readonly doorbellsPending: number;
  /** TIE, RIE, GIE. */
  readonly transmitEnabled: number;
  readonly receiveEnabled: number;
  readonly doorbellsEnabled: number;
  /** GIR: rung by us, not acknowledged by the other side. */
  readonly doorbellsRinging: number;
  /** Fn, bits 2:0. */
  readonly ownFlags: number;
  readonly remoteFlags: number;
  /** FUP: a change of our flags has not arrived on the other side. */
  readonly isCrossing: boolean;
  /** All that were read: offset in bytes, value. */
  readonly registers: readonly (readonly [number, number])[];
}

/** `isAnswering` is false where reading the registers is a bus error. */
export type MuLook = (MuState & { readonly isAnswering: true }) | { readonly isAnswering: false };

/** A core of a simulated SoC. */
export interface SimSetup {
  readonly kind: 'sim';
  readonly socket: string;
  readonly core: string;
  /** What the board must say it is. */
  readonly soc: string;
}

/**
 * A core reached through /dev/uioN. A device is found by its UIO name where one is given, else by
 * the physical address of its map. Addresses are physical.
 */
export interface UioSetup {
  readonly kind: 'uio';
  readonly core: string;
  readonly soc: string;
  readonly muGeneration: MuGeneration;
  /** vdevs that the core's firmware can address, 1..8. */
  readonly maxVdevs: number;
  /** UIO name of the MU. Empty: found by muBase. */
  readonly muDevice: string;
  /** Its registers. 0: not known, and muDevice is given. */
  readonly muBase: number;
  /** UIO name of the device that maps vrings and buffers. Empty: found by their addresses. */
  readonly memoryDevice: string;
  /** UIO name of the MU by which SCFW is called. Empty: found by scuMuBase. */
  readonly scuMuDevice: string;
  /** Its registers. 0: SCFW is not asked. */
  readonly scuMuBase: number;
  /** SCFW's number of that MU, SC_R_MU_0A and so on. 0: SCFW is not asked. */
  readonly scuMuResource: number;
  /** Memory that no UIO device maps is mapped through /dev/mem. */
  readonly devMem: boolean;
}

/** Where one remote's rings and buffers lie; every address physical, every size in bytes. */
export interface RemoteSetup {
  readonly name: string;
  /** Which Platform is constructed; hardware and simulation differ here and nowhere else. */
  readonly platform: SimSetup | UioSetup;
  /** vdevs offered, 1..8. */
  readonly vdevs: number;
  readonly vringBase: number;
  /** From one vdev's vring0 to the next one's. */
  readonly vringStride: number;
  /** From a vdev's vring0 to its vring1. */
  readonly vring1Offset: number;
  readonly bufferBase: number;
  /** From one vdev's buffer block (receive half, then transmit half) to the next one's. */
  readonly bufferStride: number;
  /** Where the remote keeps its resource table, and the size of its place; 0 bytes: it has none. */
  readonly tableBase: number;
  readonly tableBytes: number;
  /** Descriptors a ring (a power of two) and alignment of the used ring in bytes. */
  readonly descriptors: number;
  readonly align: number;
  /** RPMsg header (16) and payload. */
  readonly bufferBytes: number;
  /** Slots of the arena that holds received messages, a vdev. */
  readonly slots: number;
  /** How long to wait for ready evidence before link-up words are tried all the same. */
  readonly readyWaitMs: number;
  /** SCFW's number of the core's partition, 0 to 31; -1: SCFW is asked. */
  readonly partition: number;
  /** Bit n: vdev n stalls its remote rather than drop a message. */
  readonly losslessVdevs: number;
  /** Where the state of rings, slots and endpoints is kept for the next process. Empty: nowhere. */
  readonly stateFile: string;
}

/**
 * What opening found: nothing to go on from (cold), rings and state of an earlier process (resumed),
 * living rings without a state (adopted), or rings in use that cannot be trusted (lost).
 */
export type Resume = 'cold' | 'resumed' | 'adopted' | 'lost';

/** An endpoint of an earlier process that nobody has opened again yet, with the messages it keeps. */
export interface KeptEndpoint {
  readonly id: number;
  readonly vdev: number;
  readonly local: number;
  /** Of the oldest message kept; nextSeq when there is none. */
  readonly firstSeq: number;
  readonly nextSeq: number;
}

export interface OpenedRemote {
  readonly index: number;
  readonly resume: Resume;
  /** Why it is so, for people. */
  readonly reason: string;
  readonly generation: number;
  readonly endpoints: readonly KeptEndpoint[];
}

/** A piece of a remote's trace buffer. */
export interface TraceRead {
  readonly data: Buffer;
  /** Where the next read goes on. */
  readonly nextOffset: number;
}

export interface EndpointSetup {
  /** Chosen by the caller, unique in this process, 1..2^31-1. */
  readonly id: number;
  readonly remote: number;
  readonly vdev: number;
  readonly local: number;
  /** Received messages kept until they are released. */
  readonly rxQueue: number;
  /** TX buffers this endpoint may have in flight at most. */
  readonly txCredits: number;
  /** The sequence number that the first message gets; a kept endpoint has its own. */
  readonly nextSeq: number;
}

export interface ReceivedMessage {
  /** Continuous an endpoint: dropped messages have had their number too, so a gap is a loss. */
  readonly seq: number;
  readonly source: number;
  readonly generation: number;
  /** CLOCK_MONOTONIC when it was taken from the ring. */
  readonly timeNs: bigint;
  readonly data: Buffer;
}

/** How a send that was asked for begins: in the ring with the remote told, or waiting its turn. */
export type SendStart = 'sent' | 'queued' | ErrorCode;

export interface SendRequest {
  readonly endpoint: number;
  readonly destination: number;
  readonly data: Uint8Array;
  /** Who asks: sends of one caller stay in order, and callers take turns. */
  readonly caller: number;
  /** 0: never wait, answer would_block instead. */
  readonly timeoutMs: number;
  /** Comes back in sendDone when the answer was 'queued'; 1..2^31-1, the caller's choice. */
  readonly token: number;
}

/** Counters of one vdev; each way seen from the host. They only grow, but for the last. */
export interface DeviceStats {
  readonly rxMessages: bigint;
  readonly rxBytes: bigint;
  readonly rxWords: bigint;
  readonly rxDropped: bigint;
  readonly rxNoEndpoint: bigint;
  readonly rxMalformed: bigint;
  readonly rxFaults: bigint;
  readonly txMessages: bigint;
  readonly txBytes: bigint;
  readonly txWords: bigint;
  readonly txWaits: bigint;
  readonly txTimeouts: bigint;
  readonly txFaults: bigint;
  /** Messages in the ring that the remote has not used yet, at this moment. */
  readonly txUnused: bigint;
}

export interface EndpointStats {
  readonly rxMessages: bigint;
  readonly rxBytes: bigint;
  readonly rxDropped: bigint;
  readonly txMessages: bigint;
  readonly txBytes: bigint;
  /** On a stream: messages of others than the peer, and empty ones that are not delivered. */
  readonly rxForeign: bigint;
  readonly rxEmpty: bigint;
  /** On a stream: packets that cannot be sent, and those that a reset or fault found in the socket. */
  readonly txRefused: bigint;
  readonly txDropped: bigint;
}

/** How an endpoint's payload goes through a socket. */
export interface StreamOptions {
  /** From the remote to the client. */
  readonly reads: boolean;
  /** From the client to the remote. */
  readonly writes: boolean;
  /** Each packet begins with the RPMsg header. */
  readonly withHeader: boolean;
  /** Empty messages are delivered too, as packets of no bytes. */
  readonly zeroLength: boolean;
  /** What a reset finds in the socket goes to the remote's next life. */
  readonly keepOnReset: boolean;
  /** Messages kept for a client that does not read, at most. */
  readonly hold: number;
}

export interface StreamSetup {
  readonly endpoint: number;
  /** A connected SOCK_SEQPACKET socket, the link's from the call on, also if that fails. */
  readonly fd: number;
  /** Of native/link/stream_state.cc. */
  readonly flags: number;
  readonly hold: number;
  /** 0xffffffff: not known. It holds in life `generation` of the remote. */
  readonly peer: number;
  readonly generation: number;
  /** What waits at the endpoint before this number was delivered. */
  readonly firstSeq: number;
}

/** Why a packet of a client is not sent, in the order of native/link/stream.h. */
export const refusals = [
  '',
  'longer than the MTU',
  'shorter than the RPMsg header',
  'another length in its header than it has',
  'no peer address',
  'an address that only a group may send to',
] as const;

/** What happened on a stream since the last note. */
export interface StreamNote {
  /** The peer's address, learned in life `generation`. */
  readonly peer: number | undefined;
  readonly generation: number;
  /** Packets, the last of so many bytes. */
  readonly refused: number;
  readonly refusedBytes: number;
  readonly refusal: string;
  /** Messages that were not kept for the client. */
  readonly dropped: number;
}

/** One interface of a capture's file: a vdev, or the remote itself with its life. */
export interface CapturePlace {
  readonly remote: number;
  /** Or wholeRemote. */
  readonly vdev: number;
  readonly name: string;
  readonly description: string;
  /** A comment on how it stands as the capture begins; may be empty. */
  readonly opening: string;
}

/** Stands for the remote itself where a vdev's index is expected, as in native/link/tap.h. */
export const wholeRemote = 8;

/** The most that is captured of one message, as in native/capture/pcapng.h. */
export const mostSnapBytes = 3584;

export interface CaptureSetup {
  readonly places: readonly CapturePlace[];
  /** Of each message, its header included: headerBytes to mostSnapBytes. */
  readonly snapBytes: number;
  /** The program that writes the file. */
  readonly application: string;
}

/** `fd` is the caller's: what is read from it is a pcapng file; the capture lasts until it is closed. */
export interface OpenedCapture {
  readonly id: number;
  readonly fd: number;
}

/**
 * What the link thread reports, in the order in which it happened, in batches of one wake-up each.
 * Called on the main thread, never from inside a call to the link.
 */
export interface LinkListener {
  remoteState(remote: number, state: RemoteState, generation: number, reason: string): void;
  /**
   * A life has ended; comes before the deviceState and remoteState reports of that end. generation:
   * of the life that begins. timeNs: CLOCK_MONOTONIC when it was noticed.
   */
  remoteReset(remote: number, generation: number, cause: ResetCause, timeNs: bigint): void;
  /** The SCFW partition of the remote's core, once it is known. */
  remotePartition(remote: number, partition: number): void;
  /** evidence: by what a remote that was waited for became ready. */
  remoteReady(remote: number, generation: number, evidence: Evidence): void;
  deviceState(remote: number, vdev: number, state: DeviceState, reason: string): void;
  message(endpoint: number, message: ReceivedMessage): void;
  /** Everything granted that was there when sync() was called has been handed over before this. */
  synced(endpoint: number, tag: number): void;
  /** Ends each send that began as 'queued', once. */
  sendDone(token: number, result: 'sent' | ErrorCode): void;
  /** The endpoint's id may not be used again; nothing more comes for it. */
  endpointClosed(endpoint: number): void;
  streamNote(endpoint: number, note: StreamNote): void;
  /** Its socket is closed. The endpoint's next message has at least this number. */
  streamOver(endpoint: number, nextSeq: number): void;
  /** Its reader has closed its end. */
  captureOver(capture: number): void;
  /** The board behind this remote is gone for good (the simulated SoC died). */
  boardGone(remote: number): void;
}
