// SPDX-License-Identifier: Apache-2.0
// Types of child.mjs for the tests.

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Child {
  constructor(
    name: string,
    command: string,
    args: readonly string[],
    options?: { env?: NodeJS.ProcessEnv; show?: boolean },
  );
  output: string;
  readonly exited: Promise<Exit>;
  readonly name: string;
  readonly pid: number | undefined;
  readonly running: boolean;
  kill(signal: NodeJS.Signals): void;
  said(pattern: RegExp, timeoutMs?: number): Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<Exit>;
  failure(what?: string): Error;
}
