// SPDX-License-Identifier: Apache-2.0
// What is stored about each object: enough to make it again under the same path, for the same owner,
// at the same address.

import { type Check, flag, integer, list, oneOf, record, text } from './shape.ts';

export interface RemoteRecord {
  readonly generation: number;
  readonly resetCount: number;
  readonly lastReset: { readonly timeUs: number; readonly cause: string };
}

/** Announcements of `endpoint` (the name service's) before `seq` have had their effect. */
export interface NamesRecord {
  readonly endpoint: number;
  readonly seq: number;
}

export interface ChannelRecord {
  readonly remote: string;
  readonly vdev: number;
  /** The raw name, a byte a character. */
  readonly raw: string;
  readonly ordinal: number;
  /** The last one it was announced with. */
  readonly address: number;
  readonly isAlive: boolean;
  /** Of the announcement: in any other one it is withdrawn. */
  readonly generation: number;
  /** Its default endpoint. */
  readonly endpoint: { readonly id: number; readonly local: number; readonly rxQueue: number };
}

export interface EndpointRecord {
  readonly id: number;
  readonly remote: string;
  readonly vdev: number;
  readonly kind: 'static' | 'persistent' | 'owned';
  readonly name: string;
  readonly local: number;
  readonly rxQueue: number;
  readonly peer?: number;
  readonly channel?: { readonly raw: string; readonly ordinal: number };
  readonly owner?: { readonly sender: string; readonly uid: number };
  readonly announce?: boolean;
  /** A message of the peer told its address in this life of the remote. */
  readonly learned?: { readonly address: number; readonly generation: number };
  /** The life of the remote that has been told of it. */
  readonly announcedIn?: number;
}

export interface SubscriptionRecord {
  readonly endpoint: number;
  readonly sender: string;
  readonly uid: number;
  readonly window: number;
  readonly ack: 'auto' | 'manual';
  /** Every message before this number is acknowledged. */
  readonly acknowledgedBefore: number;
  /** Of an orderly stop: what the subscriber was sent, and of that what it has not acknowledged. */
  readonly sent?: { readonly before: number; readonly outstanding: readonly number[] };
}

/** A stream that is held. */
export interface StreamRecord {
  readonly endpoint: number;
  readonly sender: string;
  readonly uid: number;
  /** As the link has them. */
  readonly flags: number;
  readonly hold: number;
  /** To which its channel was narrowed when it was acquired. */
  readonly group?: string | undefined;
}

const count = integer(0, Number.MAX_SAFE_INTEGER);
const address = integer(0, 0xffffffff);
const id = integer(1, 0x7fffffff);
const vdev = integer(0, 7);
const queue = integer(1, 65_536);

/** By the first word of a key. */
const shapes = {
  /** The bus that owners and subscribers are on. */
  bus: text,
  /** The highest number an endpoint has had. */
  numbers: id,
  remote: record({
    generation: count,
    resetCount: count,
    lastReset: record({ timeUs: count, cause: text }),
  }),
  names: record({ endpoint: id, seq: count }),
  channel: record({
    ...{ remote: text, vdev, raw: text, ordinal: id, address, isAlive: flag, generation: count },
    endpoint: record({ id, local: address, rxQueue: queue }),
  }),
  endpoint: record(
    {
      ...{ id, remote: text, vdev, name: text, local: address, rxQueue: queue },
      kind: oneOf('static', 'persistent', 'owned'),
    },
    {
      peer: address,
      channel: record({ raw: text, ordinal: id }),
      owner: record({ sender: text, uid: address }),
      announce: flag,
      learned: record({ address, generation: count }),
      announcedIn: count,
    },
  ),
  subscription: record(
    {
      ...{ endpoint: id, sender: text, uid: address, window: id, acknowledgedBefore: count },
      ack: oneOf('auto', 'manual'),
    },
    { sent: record({ before: count, outstanding: list(count) }) },
  ),
  stream: record(
    { endpoint: id, sender: text, uid: address, flags: count, hold: id },
    { group: text },
  ),
  /** Newer than what the subscription itself says. */
  acknowledged: count,
} as const satisfies Record<string, Check>;

export type RecordKind = keyof typeof shapes;

export function kindOf(key: string): RecordKind | undefined {
  const end = key.indexOf('/');
  const kind = end < 0 ? key : key.slice(0, end);
  return Object.hasOwn(shapes, kind) ? (kind as RecordKind) : undefined;
}

/** Throws unless it is a value that its key may have. */
export function checkRecord(key: string, value: unknown): void {
  const kind = kindOf(key);
  if (kind === undefined) throw new Error(`unknown key ${key}`);
  if (!shapes[kind](value)) throw new Error(`not a ${kind}`);
}
