// SPDX-License-Identifier: Apache-2.0
// What a verb of rpmsgctl is.

import type { Readable, Writable } from 'node:stream';
import type { Bus } from '../dbus/index.ts';
import type { Terminal } from './terminal.ts';

/** An option of a verb. */
export interface VerbOption {
  readonly name: string;
  /** What its value is called; without it the option is a switch. */
  readonly value?: string;
  readonly summary: string;
}

/** Values of a verb's options; true for a switch that is given. */
export type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

export type Input = Readable & { readonly isTTY?: boolean };
export type Output = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** What a verb works with: the bus is connected when it is first asked for. */
export interface CommandContext {
  bus(): Promise<Bus>;
  readonly json: boolean;
  readonly args: readonly string[];
  readonly options: OptionValues;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly terminal: Terminal;
  print(text: string): void;
  /** A line for standard error; with --json an object with the member `notice`. */
  complain(line: string): void;
  /** Aborts with the first SIGINT or SIGTERM from now on; the second ends the process. */
  interruption(): AbortSignal;
}

export interface Verb {
  readonly name: string;
  /** After the name, in its usage line. */
  readonly usage: string;
  /** One line for the list of verbs. */
  readonly summary: string;
  /** The bus methods it calls, for its help. */
  readonly calls: readonly string[];
  readonly options?: readonly VerbOption[];
  /** What its arguments begin with, for completions. */
  readonly takes?: 'remote' | 'channel' | 'endpoint' | 'object';
  /** Its bus connection receives descriptors, where the bus passes any. */
  readonly wantsDescriptors?: boolean;
  /** For other programs than people: no help, no man page and no completion speaks of it. */
  readonly isHidden?: boolean;
  /** More lines for its help. */
  readonly details?: string;
  /** Throws RpmsgctlError or BusError. */
  run(context: CommandContext): Promise<void> | void;
}
