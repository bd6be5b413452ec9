// SPDX-License-Identifier: Apache-2.0
// Reads a batch of the link thread's event records (native/link/event.h, host byte order) and calls
// the listener for each. Message payloads are slices of the batch, which nobody else holds.

import type { ErrorCode } from '../util/errors.ts';
import type { RemoteState } from './types.ts';
import {
  type DeviceState,
  deviceStates,
  evidences,
  type LinkListener,
  refusals,
  remoteStates,
  resetCauses,
} from './types.ts';

/** Errc of native/base/error.h, in its order. */
const nativeCodes: readonly (ErrorCode | 'sent')[] = [
  'sent',
  'invalid_argument',
  'message_too_long',
  'would_block',
  'timed_out',
  'not_connected',
  'remote_down',
  'remote_reset',
  'shutting_down',
  'address_in_use',
  'no_such_address',
  'no_such_endpoint',
  'quota_exceeded',
  'busy',
  'cancelled',
  'not_supported',
  'faulted',
  'os',
];

type Decode = (batch: Buffer, at: number, listener: LinkListener) => void;

// Every host that runs this is little-endian (arm64, arm, amd64, riscv64): host order is LE.
const decoders: Readonly<Record<number, Decode>> = {
  1: (batch, at, listener) => {
    const state = remoteStates[batch.readUInt32LE(at + 12)] as RemoteState;
    const reason = text(batch, at + 24, batch.readUInt32LE(at + 20));
    listener.remoteState(batch.readUInt32LE(at + 8), state, batch.readUInt32LE(at + 16), reason);
  },
  2: (batch, at, listener) => {
    const evidence = evidences[batch.readUInt32LE(at + 16)] ?? 'timeout';
    listener.remoteReady(batch.readUInt32LE(at + 8), batch.readUInt32LE(at + 12), evidence);
  },
  3: (batch, at, listener) => {
    const state = deviceStates[batch.readUInt32LE(at + 16)] as DeviceState;
    const reason = text(batch, at + 24, batch.readUInt32LE(at + 20));
    listener.deviceState(batch.readUInt32LE(at + 8), batch.readUInt32LE(at + 12), state, reason);
  },
  4: (batch, at, listener) => {
    const length = batch.readUInt32LE(at + 20);
    listener.message(batch.readUInt32LE(at + 8), {
      source: batch.readUInt32LE(at + 12),
      generation: batch.readUInt32LE(at + 16),
      seq: uint64(batch, at + 24),
      timeNs: batch.readBigUInt64LE(at + 32),
      data: batch.subarray(at + 40, at + 40 + length),
    });
  },
  5: (batch, at, listener) => {
    listener.synced(batch.readUInt32LE(at + 8), batch.readUInt32LE(at + 12));
  },
  6: (batch, at, listener) => {
    const result = nativeCodes[batch.readUInt32LE(at + 12)] ?? 'os';
    listener.sendDone(batch.readUInt32LE(at + 8), result);
  },
  7: (batch, at, listener) => listener.endpointClosed(batch.readUInt32LE(at + 8)),
  8: (batch, at, listener) => listener.boardGone(batch.readUInt32LE(at + 8)),
  // 9 never gets here.
  10: (batch, at, listener) => {
    const cause = resetCauses[batch.readUInt32LE(at + 16)] ?? 'rebooted';
    const timeNs = batch.readBigUInt64LE(at + 24);
    listener.remoteReset(batch.readUInt32LE(at + 8), batch.readUInt32LE(at + 12), cause, timeNs);
  },
  11: (batch, at, listener) => {
    listener.remotePartition(batch.readUInt32LE(at + 8), batch.readInt32LE(at + 12));
  },
  12: (batch, at, listener) => {
    const peer = batch.readUInt32LE(at + 12);
    listener.streamNote(batch.readUInt32LE(at + 8), {
      peer: peer === 0xffffffff ? undefined : peer,
      generation: batch.readUInt32LE(at + 16),
      refused: batch.readUInt32LE(at + 20),
      refusedBytes: batch.readUInt32LE(at + 24),
      refusal: refusals[batch.readUInt32LE(at + 28)] ?? '',
      dropped: uint64(batch, at + 32),
    });
  },
  13: (batch, at, listener) => {
    listener.streamOver(batch.readUInt32LE(at + 8), uint64(batch, at + 16));
  },
  // 14 never gets here.
  15: (batch, at, listener) => listener.captureOver(batch.readUInt32LE(at + 8)),
};

/** Numbers of messages: below 2^53 for longer than any machine lives. */
function uint64(batch: Buffer, at: number): number {
  return batch.readUInt32LE(at) + batch.readUInt32LE(at + 4) * 2 ** 32;
}

function text(batch: Buffer, at: number, length: number): string {
  return batch.toString('utf8', at, at + length);
}

/** Tells the listener of every record, in order. */
export function decodeEvents(batch: Buffer, listener: LinkListener): void {
  for (let at = 0; at < batch.length; at += batch.readUInt32LE(at)) {
    decoders[batch.readUInt32LE(at + 4)]?.(batch, at, listener);
  }
}
