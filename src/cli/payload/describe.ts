// SPDX-License-Identifier: Apache-2.0
// A message's payload as one line for a person, wherever rpmsgctl shows messages. Codecs of protocols
// that are known by their channel are asked here, and nowhere else.

import { describeNxp } from '../../nxp/index.ts';
import { quoted } from '../terminal.ts';

const shownBytes = 48;

/**
 * What a codec makes of a message; undefined if none knows it. Codecs are tried here alone.
 * @param channel name of the channel or endpoint
 */
export function decodePayload(channel: string, payload: Uint8Array): string | undefined {
  return describeNxp(payload, channel);
}

/** Safe to show: whatever the remote sent, the line has no control character. */
export function describePayload(channel: string, payload: Uint8Array): string {
  const size = payload.length === 1 ? '1 byte' : `${payload.length} bytes`;
  if (payload.length === 0) return size;
  return `${size}: ${decodePayload(channel, payload) ?? textOf(payload) ?? hexOf(payload)}`;
}

/** Undefined unless all of it is text that people write. */
function textOf(payload: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
    return /[^\P{C}\r\n\t]/u.test(text) ? undefined : quoted(text);
  } catch {
    return undefined;
  }
}

function hexOf(payload: Uint8Array): string {
  const bytes = Buffer.from(payload.subarray(0, shownBytes)).toString('hex');
  const pairs = bytes.replaceAll(/(..)(?=.)/g, '$1 ');
  if (payload.length > shownBytes) return `${pairs} …`;
  if (payload.length !== 4) return pairs;
  return `${pairs} (u32:${Buffer.from(payload).readUInt32LE()})`;
}
