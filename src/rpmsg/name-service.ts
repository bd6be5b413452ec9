// SPDX-License-Identifier: Apache-2.0
// The name service message (Linux rpmsg/ns.h, RPMsg-Lite rpmsg_ns.h): a remote announces a channel,
// or withdraws it, by 40 bytes to address 53.

import { RpmsgdError } from '../util/errors.ts';
import { type ChannelName, channelName, nameBytes } from './channel-name.ts';

/** Where both sides listen for announcements. */
export const nameServiceAddress = 53;
/** The whole message: name (32), address (u32), flags (u32). */
export const nameServiceBytes = 40;

const destroyFlag = 1;

export interface Announcement {
  readonly name: ChannelName;
  /** Of the announced endpoint. */
  readonly address: number;
  readonly kind: 'create' | 'destroy';
}

/**
 * Undefined when it is malformed: not 40 bytes, or an address nobody can have. Like Linux, takes the
 * address as little-endian and looks at bit 0 of the flags alone.
 */
export function decodeAnnouncement(payload: Buffer): Announcement | undefined {
  if (payload.length !== nameServiceBytes) return undefined;
  const address = payload.readUInt32LE(nameBytes);
  if (address === 0xffffffff) return undefined;
  const flags = payload.readUInt32LE(nameBytes + 4);
  return {
    name: channelName(payload.subarray(0, nameBytes)),
    address,
    kind: (flags & destroyFlag) === 0 ? 'create' : 'destroy',
  };
}

/** Throws RpmsgdError invalid_argument unless `name` fits: 1 to 31 bytes of UTF-8 without NUL. */
export function encodeAnnouncement(
  name: string,
  address: number,
  kind: 'create' | 'destroy',
): Buffer {
  const encoded = Buffer.from(name);
  if (encoded.length < 1 || encoded.length >= nameBytes || encoded.includes(0)) {
    throw new RpmsgdError(
      'invalid_argument',
      `cannot announce a name of ${encoded.length} bytes: a name has 1 to ${nameBytes - 1} bytes and no NUL`,
    );
  }
  const payload = Buffer.alloc(nameServiceBytes);
  encoded.copy(payload);
  payload.writeUInt32LE(address, nameBytes);
  payload.writeUInt32LE(kind === 'create' ? 0 : destroyFlag, nameBytes + 4);
  return payload;
}
