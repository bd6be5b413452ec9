// SPDX-License-Identifier: Apache-2.0
// The ten bytes that every packet of NXP's services begins with (imx_rpmsg.h, struct imx_rpmsg_head):
// category, version, type, command and five reserved bytes.

export const headBytes = 10;

/** What a packet is, as its type says. */
export const NxpType = { request: 0, reply: 1, notification: 2 } as const;

/** The version of every service that this program knows. */
export const nxpVersion = { major: 1, minor: 0 } as const;

export interface NxpHead {
  readonly category: number;
  readonly major: number;
  readonly minor: number;
  readonly type: number;
  readonly command: number;
  /** Byte 5: the first reserved one, in which I2C has a priority. */
  readonly priority: number;
}

/** Undefined if there are not ten bytes. */
export function decodeHead(payload: Uint8Array): NxpHead | undefined {
  if (payload.length < headBytes) return undefined;
  const [category = 0, major = 0, minor = 0, type = 0, command = 0, priority = 0] = payload;
  return { category, major, minor, type, command, priority };
}

/** Writes the head into the first ten bytes of `packet`, which are zero. */
export function encodeHead(head: NxpHead, packet: Buffer): void {
  const { category, major, minor, type, command, priority } = head;
  packet.set([category, major, minor, type, command, priority]);
}

/** "1.0". */
export function versionText({ major, minor }: { major: number; minor: number }): string {
  return `${major}.${minor}`;
}

export function isKnownVersion({ major, minor }: { major: number; minor: number }): boolean {
  return major === nxpVersion.major && minor === nxpVersion.minor;
}
