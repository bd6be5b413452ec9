// SPDX-License-Identifier: Apache-2.0
// What is stored about each object: enough to make it again under the same path, for the same owner,
// at the same address.

import * as v from 'valibot';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const address = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff));
const id = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(0x7fffffff));

/** A message of an endpoint's peer told its address in this life of the remote. */
const learned = v.strictObject({ address, generation: count });

const remote = v.strictObject({
  generation: count,
  resetCount: count,
  lastReset: v.strictObject({ timeUs: count, cause: v.string() }),
});

/** Announcements of `endpoint` (the name service's) before `seq` have had their effect. */
const names = v.strictObject({ endpoint: id, seq: count });

const channel = v.strictObject({
  remote: v.string(),
  vdev: count,
  /** The raw name, a byte a character. */
  raw: v.string(),
  ordinal: count,
  /** The last one it was announced with. */
  address,
  isAlive: v.boolean(),
  /** Of the announcement: in any other one it is withdrawn. */
  generation: count,
  /** Its default endpoint. */
  endpoint: v.strictObject({ id, local: address, rxQueue: count }),
});

const endpoint = v.strictObject({
  id,
  remote: v.string(),
  vdev: count,
  kind: v.picklist(['static', 'persistent', 'owned']),
  name: v.string(),
  local: address,
  rxQueue: count,
  peer: v.optional(address),
  channel: v.optional(v.strictObject({ raw: v.string(), ordinal: count })),
  owner: v.optional(v.strictObject({ sender: v.string(), uid: count })),
  announce: v.optional(v.boolean()),
  learned: v.optional(learned),
  /** The life of the remote that has been told of it. */
  announcedIn: v.optional(count),
});

const subscription = v.strictObject({
  endpoint: id,
  sender: v.string(),
  uid: count,
  window: count,
  ack: v.picklist(['auto', 'manual']),
  /** Every message before this number is acknowledged. */
  acknowledgedBefore: count,
  /** Of an orderly stop: what the subscriber has been sent, and of that what it has not acknowledged. */
  sent: v.optional(v.strictObject({ before: count, outstanding: v.array(count) })),
});

export type RemoteRecord = v.InferOutput<typeof remote>;
export type NamesRecord = v.InferOutput<typeof names>;
export type ChannelRecord = v.InferOutput<typeof channel>;
export type EndpointRecord = v.InferOutput<typeof endpoint>;
export type SubscriptionRecord = v.InferOutput<typeof subscription>;

/** By the first word of a key. */
export const schemas = {
  /** The bus that owners and subscribers are on. */
  bus: v.string(),
  /** The highest number an endpoint has had. */
  numbers: count,
  remote,
  names,
  channel,
  endpoint,
  subscription,
  /** Newer than what the subscription itself says. */
  acknowledged: count,
} as const;

export type RecordKind = keyof typeof schemas;

export function kindOf(key: string): RecordKind | undefined {
  const [kind = ''] = key.split('/', 1);
  return Object.hasOwn(schemas, kind) ? (kind as RecordKind) : undefined;
}

/** Throws unless it is a value that its key may have. */
export function checkRecord(key: string, value: unknown): void {
  const kind = kindOf(key);
  if (kind === undefined) throw new Error(`unknown key ${key}`);
  v.parse(schemas[kind], value);
}
