// SPDX-License-Identifier: Apache-2.0
// One remote as the link reports it: its state, its lives, its vdevs.

import type { RemoteState } from '../addon/types.ts';
import type { RemoteConfig } from '../config/types.ts';
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
  readonly #context: LinkContext;
  /** Which vdev faulted last in this life, and why. */
  #vdevFault = '';
  /** Whether there has been a life that a reset could end; before it generations settle. */
  #isBorn = false;

  constructor(context: LinkContext, config: RemoteConfig, index: number) {
    this.#context = context;
    this.config = config;
    this.index = index;
    this.devices = Array.from(
      { length: config.setup.vdevs },
      (_, vdev) => new Device(context, this, vdev),
    );
  }

  get name(): string {
    return this.config.name;
  }

  /**
   * In this order: what channels and endpoints lose by the end of a life; then the properties of the
   * remote, together; then the signal.
   */
  setState(state: RemoteState, generation: number, reason: string): void {
    const { observer } = this.#context;
    const isNewLife = this.#isBorn && generation !== this.generation;
    const entered = state === this.state ? undefined : state;
    if (isNewLife || state === 'down') for (const device of this.devices) device.endLife();
    if (isNewLife) this.#reset(generation, reason);
    this.#isBorn ||= state !== 'offline' && state !== 'down';
    this.#setGeneration(generation);
    if (entered === 'faulted') {
      this.#setError(this.#vdevFault === '' ? reason : `${reason}; the last: ${this.#vdevFault}`);
    }
    this.state = state;
    if (entered !== undefined) observer.remoteChanged(this, 'State');
    if (entered === 'quiescing') observer.resetNotified(this, reason);
    if (entered === 'faulted') observer.faulted(this, reason);
  }

  /** A vdev broke the rules of a ring; the others live on. */
  vdevFaulted(vdev: number, reason: string): void {
    this.#vdevFault = `vdev ${vdev}: ${reason}`;
    this.#setError(this.#vdevFault);
  }

  boardGone(): void {
    for (const device of this.devices) device.setState('down');
    this.#setError('the board behind this remote is gone');
    this.setState('offline', this.generation, this.lastError);
  }

  #reset(generation: number, reason: string): void {
    this.#vdevFault = '';
    this.resetCount += Math.max(1, generation - this.generation);
    this.lastReset = { timeUs: Date.now() * 1000, cause: reason };
    this.#context.observer.remoteChanged(this, 'ResetCount', 'LastReset');
  }

  #setGeneration(generation: number): void {
    if (generation === this.generation) return;
    this.generation = generation;
    this.#context.observer.remoteChanged(this, 'Generation');
  }

  #setError(reason: string): void {
    this.lastError = reason;
    this.#context.observer.remoteChanged(this, 'LastError');
  }
}
