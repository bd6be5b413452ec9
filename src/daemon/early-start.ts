// SPDX-License-Identifier: Apache-2.0
// What the loader's first act did, taken over where it was right; and what the next daemon's needs.

import type { EarlyLink } from '../addon/early-link.ts';
import type { RemoteSetup } from '../addon/types.ts';
import type { Config } from '../config/index.ts';
import type { Launch } from '../start/launch.ts';
import {
  dropSetup,
  isSameSetup,
  type Origin,
  type Setup,
  writeSetup,
} from '../start/setup-file.ts';

import { ExitStatus, FatalError } from './exit.ts';

export class EarlyStart {
  readonly #launch: Launch | undefined;
  #origin: Origin;
  #setup: Setup | undefined;
  /** The first act of the next daemon finds what it needs. */
  #isKept = false;

  /** `origin` is that of the configuration in force. */
  constructor(launch: Launch | undefined, origin: Origin) {
    this.#launch = launch;
    this.#origin = origin;
  }

  hasLocked(directory: string): boolean {
    return this.#launch?.firstAct?.directory === directory;
  }

  /**
   * The link as the first act opened it, if it opened any. Throws FatalError where that was not for these
   * remotes as they are set up now: something has changed since that no file tells of, and a board may
   * not have noticed yet that it was closed. The next process starts in the usual order.
   */
  link(remotes: readonly RemoteSetup[], config: Config): EarlyLink | undefined {
    const { realtimePriority, busyPollUs } = config.link;
    this.#setup = { thread: { realtimePriority, busyPollUs }, remotes };
    const { directory, link, setup } = this.#launch?.firstAct ?? {};
    if (directory === undefined || link === undefined || setup === undefined) return undefined;
    this.#isKept = isSameSetup(setup, this.#setup);
    if (this.#isKept) return link;
    link.native.close();
    dropSetup(directory);
    const message =
      'the remotes were opened as they had been set up before, which has changed since';
    throw new FatalError(ExitStatus.failure, `${message}; start again`);
  }

  get args(): readonly string[] {
    return this.#origin.args;
  }

  /** The same setup now follows from files that have changed. */
  reloaded(directory: string, origin: Origin): void {
    this.#origin = origin;
    this.#isKept = false;
    this.finish(directory);
  }

  /** Once the start is over: what the next one will be glad to have. */
  finish(directory: string): void {
    if (!this.#isKept && this.#setup !== undefined) {
      this.#isKept = writeSetup(directory, this.#origin, this.#setup);
    }
    this.#launch?.started();
  }
}
