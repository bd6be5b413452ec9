// SPDX-License-Identifier: Apache-2.0
// Round trips on one endpoint, one after the other, each counted for the phase in which it ended.

import type { RpmsgEndpoint } from './rpmsg-client.ts';

export class Prober<Phase extends string> {
  phase: Phase;
  readonly #endpoint: RpmsgEndpoint;
  readonly #times = new Map<Phase, number[]>();
  readonly #loop: Promise<void>;
  #isStopping = false;

  constructor(endpoint: RpmsgEndpoint, phase: Phase) {
    this.#endpoint = endpoint;
    this.phase = phase;
    this.#loop = this.#run();
    this.#loop.catch(() => {});
  }

  /** Rejects when a trip failed or came back altered. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#loop;
  }

  count(phase: Phase): number {
    return this.#times.get(phase)?.length ?? 0;
  }

  /** The time in ms below which a share of a phase's trips stayed. */
  quantile(phase: Phase, share: number): number {
    const times = [...(this.#times.get(phase) ?? [])].sort((a, b) => a - b);
    return times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
  }

  async #run(): Promise<void> {
    for (let trip = 0; !this.#isStopping; trip++) {
      const started = performance.now();
      await this.#endpoint.send(Buffer.from(`trip ${trip}`));
      const data = await this.#endpoint.receiveData();
      if (data.toString() !== `trip ${trip}`) throw new Error(`trip ${trip} brought "${data}"`);
      const times = this.#times.get(this.phase) ?? [];
      times.push(performance.now() - started);
      this.#times.set(this.phase, times);
    }
  }
}
