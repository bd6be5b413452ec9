// SPDX-License-Identifier: Apache-2.0
// What a verb of rpmsgctl is.

import type { Bus } from '../dbus/index.ts';

/** What a verb works with: the bus is connected when it is first asked for. */
export interface CommandContext {
  bus(): Promise<Bus>;
  readonly json: boolean;
  readonly args: readonly string[];
  /** Of --root, for verbs that use it: where another machine's files are. */
  readonly root?: string | undefined;
  /** Of --socket, for verbs that use it. */
  readonly socket?: string | undefined;
  print(text: string): void;
}

export interface Verb {
  readonly name: string;
  /** After the name, in its usage line. */
  readonly usage: string;
  /** One line for the list of verbs. */
  readonly summary: string;
  /** The bus methods it calls, for its help. */
  readonly calls: readonly string[];
  /** It speaks to a simulated SoC, so --socket means something. */
  readonly usesSocket?: boolean;
  /** It reads files of the machine, so --root means something. */
  readonly usesRoot?: boolean;
  /** More lines for its help. */
  readonly details?: string;
  /** Throws RpmsgctlError or BusError. */
  run(context: CommandContext): Promise<void> | void;
}
