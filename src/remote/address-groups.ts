// SPDX-License-Identifier: Apache-2.0
// The peer addresses of one vdev that only a group may send to: those of live channels which the
// configuration narrows.

import type { ChannelRegistry } from '../rpmsg/channels.ts';
import type { LinkContext } from './context.ts';

export class AddressGroups {
  readonly #context: Pick<LinkContext, 'link' | 'rule'>;
  readonly #remote: number;
  readonly #vdev: number;
  #groups = new Map<number, string>();

  constructor(context: Pick<LinkContext, 'link' | 'rule'>, remote: number, vdev: number) {
    this.#context = context;
    this.#remote = remote;
    this.#vdev = vdev;
  }

  /** The group that alone may send to this address. */
  of(address: number): string | undefined {
    return this.#groups.size === 0 ? undefined : this.#groups.get(address);
  }

  /** After the configuration's rules or the live channels have changed. */
  refresh(channels: ChannelRegistry): void {
    const hadAny = this.#groups.size > 0;
    this.#groups = new Map();
    for (const { name, remoteAddress } of channels) {
      const group = this.#context.rule(name.display)?.group;
      if (remoteAddress !== undefined && group !== undefined) {
        this.#groups.set(remoteAddress, group);
      }
    }
    if (!hadAny && this.#groups.size === 0) return;
    // Clients of streams with headers of their own do not ask before they send.
    this.#context.link.guard(this.#remote, this.#vdev, [...this.#groups.keys()]);
  }
}
