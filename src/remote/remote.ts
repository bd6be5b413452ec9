// SPDX-License-Identifier: Apache-2.0
// One remote as the link reports it: its state, its lives, its vdevs.

import type { OpenedRemote, RemoteState, ResetCause } from '../addon/types.ts';
import type { RemoteConfig } from '../config/types.ts';
import { changes } from '../state/object-store.ts';
import type { LinkContext } from './context.ts';
import { Device } from './device.ts';

export interface LastReset {
  /** CLOCK_REALTIME in microseconds; 0: there was none. */
  readonly timeUs: number;
  readonly cause: string;
}

export class Remote {
  readonly config: RemoteConfig;
  /** The link's number for it. */
  readonly index: number;
  readonly devices: readonly Device[];
  state: RemoteState = 'offline';
  generation = 0;
  resetCount = 0;
  lastReset: LastReset = { timeUs: 0, cause: '' };
  lastError = '';
  /** Of the SCFW; -1: not known. */
  partition: number;
  readonly #context: LinkContext;
  /** Which vdev faulted last in this life, and why. */
  #vdevFault = '';
  /** Whether there has been a life that a reset could end; before it generations settle. */
  #isBorn = false;
  #isNotified = false;
  /** The end that the link told of before the life after it begins. */
  #ended: { readonly generation: number; readonly lastReset: LastReset } | undefined;
  readonly #watchers = new Set<() => void>();

  constructor(context: LinkContext, config: RemoteConfig, opened: OpenedRemote) {
    this.#context = context;
    this.config = config;
    this.index = opened.index;
    this.partition = config.partition === 'auto' ? -1 : config.partition;
    this.#restore(opened);
    this.devices = Array.from({ length: config.setup.vdevs }, (_, vdev) => {
      const kept = opened.endpoints.filter((endpoint) => endpoint.vdev === vdev);
      return new Device(context, this, vdev, kept);
    });
  }

  get name(): string {
    return this.config.name;
  }

  /**
   * The link has noticed that a life is over; setState with the next generation follows. Whoever was
   * not told that the remote was about to be reset is told now.
   */
  reset(generation: number, cause: ResetCause, timeNs: bigint): void {
    const ageNs = process.hrtime.bigint() - timeNs;
    const timeUs = Date.now() * 1000 - Math.max(0, Number(ageNs / 1000n));
    this.#ended = { generation, lastReset: { timeUs, cause } };
    if (this.#isBorn) this.#notify(cause);
  }

  /** The order in which all this is told is org.rpmsg.Remote's (dbus/org.rpmsg.Remote.xml). */
  setState(state: RemoteState, generation: number, reason: string): void {
    const isNewLife = this.#isBorn && generation !== this.generation;
    if (state !== this.state) this.#context.observer.flush();
    if (isNewLife) this.#notify(reason);
    if (isNewLife || state === 'down') this.#endLife();
    if (isNewLife) this.#countReset(generation, reason);
    this.#isBorn ||= state !== 'offline' && state !== 'down';
    this.#setGeneration(generation);
    if (state !== this.state) this.#enter(state, reason);
    this.reported();
  }

  /** Tells `changed` of every report of the link about this remote or one of its vdevs. */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  /** Tells those who watch: something was heard, or there is a reason to look. */
  reported(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  setPartition(partition: number): void {
    if (partition === this.partition) return;
    this.partition = partition;
    this.#context.observer.remoteChanged(this, 'Partition');
  }

  /** A vdev broke the rules of a ring; the others live on. */
  vdevFaulted(vdev: number, reason: string): void {
    this.#vdevFault = `vdev ${vdev}: ${reason}`;
    this.#setError(this.#vdevFault);
  }

  /** A live channel was announced again. Only a person knows whether fresh rings are safe now. */
  restartSuspected(vdev: number, channel: string): void {
    this.#setError(
      `vdev ${vdev}: silent-restart: channel "${channel}" was announced again while it was there; if ` +
        'the firmware restarted without telling, let it initialise its RPMsg stack again and call ' +
        'Reinitialize while it waits for the link',
    );
  }

  boardGone(): void {
    for (const device of this.devices) device.setState('down');
    this.#setError('the board behind this remote is gone');
    this.setState('offline', this.generation, this.lastError);
  }

  /** Once a life, by whatever shows first that it ends. */
  #notify(cause: string): void {
    if (this.#isNotified) return;
    this.#isNotified = true;
    this.#context.observer.resetNotified(this, cause);
  }

  #enter(state: RemoteState, reason: string): void {
    const { observer } = this.#context;
    if (state === 'faulted') {
      this.#setError(this.#vdevFault === '' ? reason : `${reason}; the last: ${this.#vdevFault}`);
    }
    // A reset that was announced and did not come: the next one is told anew.
    if (this.state === 'quiescing' && state !== 'down') this.#isNotified = false;
    this.state = state;
    observer.remoteChanged(this, 'State');
    if (state === 'quiescing') this.#notify(reason);
    if (state === 'faulted') observer.faulted(this, reason);
    for (const device of this.devices) device.refresh();
  }

  /** An earlier daemon may have known it, in this life or in a former one. */
  #restore({ resume, generation }: OpenedRemote): void {
    const known = this.#context.store.found.remotes.get(this.name);
    this.#isBorn = resume === 'resumed' || known !== undefined;
    this.generation = resume === 'cold' ? (known?.generation ?? 0) : generation;
    if (known === undefined) return;
    const { resetCount, lastReset } = known;
    const missed = Math.max(0, this.generation - known.generation);
    this.resetCount = resetCount + missed;
    this.lastReset = lastReset;
  }

  #store(): void {
    const { generation, resetCount, lastReset } = this;
    this.#context.store.commit(changes.remote(this.name, { generation, resetCount, lastReset }));
  }

  /** Channels and endpoints first: whoever sees the new generation has seen what the old one lost. */
  #endLife(): void {
    for (const device of this.devices) {
      device.setState('down');
      device.endLife();
    }
  }

  #countReset(generation: number, reason: string): void {
    const ended = this.#ended?.generation === generation ? this.#ended : undefined;
    this.#vdevFault = '';
    this.#isNotified = false;
    this.resetCount += Math.max(1, generation - this.generation);
    this.lastReset = ended?.lastReset ?? { timeUs: Date.now() * 1000, cause: reason };
    this.#context.observer.remoteChanged(this, 'ResetCount', 'LastReset');
  }

  #setGeneration(generation: number): void {
    if (generation === this.generation) return;
    this.generation = generation;
    this.#store();
    this.#context.observer.remoteChanged(this, 'Generation');
  }

  #setError(reason: string): void {
    if (reason === this.lastError) return;
    this.lastError = reason;
    this.#context.observer.remoteChanged(this, 'LastError');
  }
}
