// SPDX-License-Identifier: Apache-2.0
// The directory of stable names for terminals, whose own ones (/dev/pts/N) are whatever was free.

import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Endpoint } from '../remote/endpoint.ts';
import type { Channel } from '../rpmsg/channels.ts';

const elementPrefix = 'channel_';

/**
 * `<remote>-vdev<i>-<name>`: the name as in the channel's object path, `__2` and so on included. No two
 * channels have the same: there is no `-` in the last part, nor a `/` in any.
 */
export function linkName({ device }: Endpoint, channel: Channel): string {
  const escaped = channel.element.slice(elementPrefix.length);
  return `${device.remote.name}-vdev${device.index}-${escaped}`;
}

export class TtyLinks {
  readonly #directory: () => string;

  /** It need not be there before the first link is. */
  constructor(directory: () => string) {
    this.#directory = directory;
  }

  path(name: string): string {
    return join(this.#directory(), name);
  }

  /** Makes the link or turns it elsewhere; whoever opens it meanwhile finds one or the other. */
  set(name: string, target: string): void {
    const directory = this.#directory();
    mkdirSync(directory, { recursive: true });
    // Whoever may open a terminal is the terminal's own business.
    chmodSync(directory, 0o755);
    const fresh = this.path(`.${name}`);
    rmSync(fresh, { force: true });
    symlinkSync(target, fresh);
    renameSync(fresh, this.path(name));
  }

  remove(name: string): void {
    rmSync(this.path(name), { force: true });
  }

  /** Removes what an earlier daemon has left and nobody has made again. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const found of this.#found()) if (!names.has(found)) this.remove(found);
  }

  #found(): string[] {
    try {
      return readdirSync(this.#directory());
    } catch {
      return []; // there has been no terminal yet
    }
  }
}
