// SPDX-License-Identifier: Apache-2.0
// The programs that the tests of one file talk to: what one of them leaves running ends with it.

import { Interactive } from './interactive.ts';

export class Programs {
  readonly #address: () => string;
  readonly #running: Interactive[] = [];

  /** `address` is the bus's, once there is one. */
  constructor(address: () => string) {
    this.#address = address;
  }

  /** rpmsgctl in pipes. */
  readonly start = (...args: string[]): Interactive =>
    this.keep(Interactive.rpmsgctl(this.#address(), ...args));

  /** rpmsgctl on a terminal. */
  readonly onTerminal = (...args: string[]): Interactive =>
    this.keep(Interactive.rpmsgctlOnTerminal(this.#address(), ...args));

  /** Stops it with the others. */
  keep(program: Interactive): Interactive {
    this.#running.push(program);
    return program;
  }

  async stop(): Promise<void> {
    for (const program of this.#running.splice(0)) await program.stop();
  }
}
