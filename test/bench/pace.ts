// SPDX-License-Identifier: Apache-2.0
// How many operations a run has: so many that it lasts about a quarter of a second on this machine.

import { type Measured, rate } from './programs.ts';

const runSeconds = 0.25;
const first = 500;
const least = 250;
const most = 500_000;

export class Pace {
  #count = first;

  /** For the next run. */
  get count(): number {
    return this.#count;
  }

  /** What the last run has shown. */
  learn(measured: Measured): void {
    const fitting = Math.round(rate(measured) * runSeconds);
    this.#count = Math.min(Math.max(fitting, least), most);
  }
}
