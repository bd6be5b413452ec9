// SPDX-License-Identifier: Apache-2.0
// A link that is opened before there is anybody to listen: remotes may wait in a loop until they are
// drained. Knows as little as that takes.

import { loadAddon, type NativeLink, type NativeRemoteSetup } from './native.ts';
import type { OpenedRemote, RemoteSetup } from './types.ts';

/** How the link's thread runs (LinkApi.start). */
export interface ThreadSetup {
  readonly realtimePriority: number;
  readonly busyPollUs: number;
}

export interface EarlyLink {
  readonly native: NativeLink;
  /** In the order of the setups. */
  readonly opened: readonly OpenedRemote[];
  /** It runs: every remote was alive. Else it is for its taker to start. */
  readonly isStarted: boolean;
  /** Told of reports, once it is somebody's. Until then they wait. */
  onEvents: () => void;
}

/** The setup as the addon takes it. */
export function nativeSetup({ platform, name: _, ...rest }: RemoteSetup): NativeRemoteSetup {
  return { ...rest, ...platform };
}

/**
 * Opens the remotes, and starts the link if all of them live on. Undefined, with nothing left open,
 * where anything of that fails.
 */
export function openEarly(
  setups: readonly RemoteSetup[],
  { realtimePriority, busyPollUs }: ThreadSetup,
): EarlyLink | undefined {
  const addon = loadAddon();
  const native = new addon.Link();
  const opened: OpenedRemote[] = [];
  for (const setup of setups) {
    const remote = native.openRemote(nativeSetup(setup));
    if ('index' in remote) opened.push(remote);
  }
  const early = { native, opened, isStarted: false, onEvents: () => {} };
  const isWhole = opened.length === setups.length;
  const isAlive = isWhole && opened.every(({ resume }) => resume !== 'cold');
  if (isAlive)
    early.isStarted = native.start(() => early.onEvents(), realtimePriority, busyPollUs) === '';
  if (isWhole && early.isStarted === isAlive) return early;
  native.close();
  return undefined;
}
