// SPDX-License-Identifier: Apache-2.0
// What the table of a service says.

import type { Layout } from './fields.ts';

/** What a command does, by the packets that it has. */
export interface NxpCommand {
  readonly number: number;
  readonly name: string;
  readonly summary: string;
  /** Sent by the host and answered; sent by the host without an answer; sent by the remote. */
  readonly kind: 'request' | 'host-notification' | 'remote-notification';
  /** Fields of a request or notification that mean something, in the order of a command line. */
  readonly operands: readonly string[];
  /** How many of these have to be said; the others are 0. */
  readonly leastOperands: number;
  /** Fields of the answer that it is asked for. */
  readonly results: readonly string[];
  /** Fields that have one value with this command. */
  readonly constants: Readonly<Record<string, number>>;
  /** Of the request or notification. */
  readonly layout: Layout;
  /** Of the answer. */
  readonly reply: Layout;
}

export interface ReturnCode {
  /** The field of the answer that has it. */
  readonly field: string;
  readonly names: Readonly<Record<number, string>>;
  readonly good: readonly number[];
}

export interface NxpService {
  readonly name: string;
  readonly category: number;
  /** Names under which remotes announce it. */
  readonly channels: readonly string[];
  /** How long its Linux driver waits for an answer. */
  readonly timeoutMs: number;
  readonly commands: readonly NxpCommand[];
  /** Fields in which an answer repeats its request, where the layouts have them. */
  readonly keys: readonly string[];
  readonly code: ReturnCode;
  /** Byte 5 of the head. */
  readonly priority: number;
}

type Optional =
  | 'leastOperands'
  | 'operands'
  | 'results'
  | 'constants'
  | 'kind'
  | 'layout'
  | 'reply';
export type CommandRow = Omit<NxpCommand, Optional> & Partial<Pick<NxpCommand, Optional>>;

export interface ServiceTable extends Omit<NxpService, 'commands' | 'timeoutMs' | 'priority'> {
  readonly timeoutMs?: number;
  readonly priority?: number;
  /** Of every packet whose command does not say another. */
  readonly request: Layout;
  readonly reply: Layout;
  readonly notification?: Layout;
  readonly commands: readonly CommandRow[];
}

/** Fills in what most services have in common. */
export function defineService(table: ServiceTable): NxpService {
  const { request, reply, notification = request, commands, ...rest } = table;
  return {
    timeoutMs: 1000,
    priority: 0,
    ...rest,
    commands: commands.map((row) => ({
      kind: 'request',
      operands: [],
      leastOperands: row.operands?.length ?? 0,
      results: [],
      constants: {},
      layout: (row.kind ?? 'request') === 'request' ? request : notification,
      reply,
      ...row,
    })),
  };
}

/** What most services answer with. */
export const commonCodes = { 0: 'ok', 1: 'failed', 2: 'unsupported' } as const;
