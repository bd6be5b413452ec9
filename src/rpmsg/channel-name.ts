// SPDX-License-Identifier: Apache-2.0
// The name of a channel as a remote sends it: up to 32 bytes of anything. What people and object
// paths get to see of it.

/** Bytes of the name field, terminator included if there is one (Linux rpmsg/ns.h). */
export const nameBytes = 32;

export interface ChannelName {
  /** As it was sent, up to the first NUL or all 32 bytes; may be empty. */
  readonly raw: Buffer;
  /** Valid UTF-8 without NUL: U+FFFD stands for what was neither. */
  readonly display: string;
  /** What an object path may hold: letters, digits, and `_xx` for every other byte. */
  readonly element: string;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** From the name field of a message, or any bytes: what follows a NUL does not count. */
export function channelName(field: Uint8Array): ChannelName {
  const end = field.indexOf(0);
  const raw = Buffer.from(end < 0 ? field : field.subarray(0, end));
  return { raw, display: decoder.decode(raw), element: pathElement(raw) };
}

/**
 * Escapes as sd_bus_path_encode(3): each byte outside [A-Za-z0-9], and a digit in front, becomes `_`
 * and two lower-case hexadecimal digits; nothing at all becomes `_`.
 */
export function pathElement(bytes: Uint8Array): string {
  if (bytes.length === 0) return '_';
  let element = '';
  for (const [index, byte] of bytes.entries()) {
    const character = String.fromCharCode(byte);
    const isPlain = index === 0 ? /[A-Za-z]/.test(character) : /[A-Za-z0-9]/.test(character);
    element += isPlain ? character : `_${byte.toString(16).padStart(2, '0')}`;
  }
  return element;
}
