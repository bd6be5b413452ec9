// SPDX-License-Identifier: Apache-2.0
// One line about all remotes for `systemctl status`, kept current from the link's reports.

import type { DeviceState, LinkListener, RemoteState } from '../addon/types.ts';

interface RemoteStatus {
  readonly name: string;
  state: RemoteState;
  generation: number;
  readonly devices: DeviceState[];
}

export const noRemoteAdvice =
  'no remote configured: describe one in /etc/rpmsg/rpmsgd.toml or the device tree, then restart';

export class StatusBoard {
  readonly #remotes: RemoteStatus[];
  readonly #changed: (text: string) => void;

  /** `remotes` in the order of their indices on the link. */
  constructor(
    remotes: readonly { readonly name: string; readonly vdevs: number }[],
    changed: (text: string) => void,
  ) {
    this.#remotes = remotes.map(({ name, vdevs }) => ({
      name,
      state: 'offline',
      generation: 0,
      devices: new Array<DeviceState>(vdevs).fill('down'),
    }));
    this.#changed = changed;
  }

  get text(): string {
    if (this.#remotes.length === 0) return noRemoteAdvice;
    return this.#remotes.map(describe).join('; ');
  }

  remoteState(remote: number, state: RemoteState, generation: number): void {
    const status = this.#remotes[remote];
    if (status === undefined) return;
    status.state = state;
    status.generation = generation;
    this.#changed(this.text);
  }

  deviceState(remote: number, vdev: number, state: DeviceState): void {
    const status = this.#remotes[remote];
    if (status === undefined) return;
    status.devices[vdev] = state;
    this.#changed(this.text);
  }
}

function describe({ name, state, devices }: RemoteStatus): string {
  const up = devices.filter((device) => device === 'up').length;
  const faulted = devices.filter((device) => device === 'faulted').length;
  const faults = faulted === 0 ? '' : `, ${faulted} faulted`;
  return `${name} ${state} (${up} of ${devices.length} vdevs up${faults})`;
}

/** Passes every report on to `inner` and shows the board what concerns it, after the fact. */
export function watchLink(inner: LinkListener, board: StatusBoard): LinkListener {
  return {
    remoteState: (remote, state, generation, reason) => {
      inner.remoteState(remote, state, generation, reason);
      board.remoteState(remote, state, generation);
    },
    deviceState: (remote, vdev, state, reason) => {
      inner.deviceState(remote, vdev, state, reason);
      board.deviceState(remote, vdev, state);
    },
    remoteReset: (...args) => inner.remoteReset(...args),
    remotePartition: (...args) => inner.remotePartition(...args),
    remoteReady: (...args) => inner.remoteReady(...args),
    message: (...args) => inner.message(...args),
    synced: (...args) => inner.synced(...args),
    sendDone: (...args) => inner.sendDone(...args),
    endpointClosed: (...args) => inner.endpointClosed(...args),
    streamNote: (...args) => inner.streamNote(...args),
    streamOver: (...args) => inner.streamOver(...args),
    captureOver: (...args) => inner.captureOver(...args),
    boardGone: (remote) => inner.boardGone(remote),
  };
}
