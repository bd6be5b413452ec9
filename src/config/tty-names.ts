// SPDX-License-Identifier: Apache-2.0
// The names of channels that Linux's own drivers make terminals of, and what those drivers do with them.

interface TtyName {
  /** The channel has a terminal unless a file says otherwise. */
  readonly isDefault: boolean;
  /** The driver sends first, and firmware waits for that. */
  readonly hello: boolean;
  /** Bytes of a message at most, whatever the MTU; undefined: the MTU. */
  readonly messageBytes?: number;
}

/** rpmsg_tty of the mainline kernel, and NXP's imx_rpmsg_tty, which has a buffer of 256 bytes. */
const ttyNames: Readonly<Record<string, TtyName>> = {
  'rpmsg-tty': { isDefault: true, hello: false },
  'rpmsg-virtual-tty-channel': { isDefault: true, hello: true, messageBytes: 256 },
  'rpmsg-virtual-tty-channel-1': { isDefault: true, hello: true, messageBytes: 256 },
  // Of NXP's driver, too; here it is first of all the channel of the ping-pong.
  'rpmsg-openamp-demo-channel': { isDefault: false, hello: false, messageBytes: 256 },
};

function known(name: string): TtyName | undefined {
  return Object.hasOwn(ttyNames, name) ? ttyNames[name] : undefined;
}

/** What holds for channels of a name when no file says anything. */
export function ttyDefaults(name: string): { readonly tty: boolean; readonly hello: boolean } {
  const { isDefault = false, hello = false } = known(name) ?? {};
  return { tty: isDefault, hello };
}

/** How many bytes one message of a terminal has at most. */
export function messageBytesOf(name: string, mtu: number): number {
  return Math.min(mtu, known(name)?.messageBytes ?? mtu);
}
