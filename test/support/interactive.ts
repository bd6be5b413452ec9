// SPDX-License-Identifier: Apache-2.0
// A program that a test talks to: its standard input stays open, what it says is kept, and it may sit
// on a terminal.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { checkout } from './daemon-process.ts';

const WAIT_MS = 20_000;

export class Interactive {
  readonly process: ChildProcessWithoutNullStreams;
  stdout = Buffer.alloc(0);
  stderr = '';
  readonly #ended: Promise<{ status: number | null; signal: string | null }>;
  #isRunning = true;

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.process = spawn(command, args, { env: { ...process.env, ...env } });
    this.process.stdout.on('data', (chunk: Buffer) => {
      this.stdout = Buffer.concat([this.stdout, chunk]);
    });
    this.process.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk;
    });
    this.process.stdin.on('error', () => {});
    this.#ended = once(this.process, 'close').then(([status, signal]) => {
      this.#isRunning = false;
      return { status, signal };
    });
  }

  /** rpmsgctl in pipes. */
  static rpmsgctl(bus: string, ...args: string[]): Interactive {
    return new Interactive(process.execPath, [
      `${checkout}dist/rpmsgctl.js`,
      '--bus',
      bus,
      ...args,
    ]);
  }

  /** rpmsgctl on a terminal of 80 columns, whose both ends are `stdin` and `stdout`. */
  static rpmsgctlOnTerminal(bus: string, ...args: string[]): Interactive {
    return Interactive.#onTerminal(bus, args, '');
  }

  /** The same, for somebody who wants no colours. */
  static rpmsgctlWithoutColours(bus: string, ...args: string[]): Interactive {
    return Interactive.#onTerminal(bus, args, '1');
  }

  /** What runs the tests may have set NO_COLOR for itself. */
  static #onTerminal(bus: string, args: readonly string[], noColor: string): Interactive {
    const words = [process.execPath, `${checkout}dist/rpmsgctl.js`, '--bus', bus, ...args];
    const line = words.map((word) => `'${word}'`).join(' ');
    // Without exec a shell between the two, which Ctrl-C ends, would answer for the program.
    const env = { TERM: 'xterm', NO_COLOR: noColor };
    return new Interactive('script', ['-qefc', `exec ${line}`, '/dev/null'], env);
  }

  write(text: string | Uint8Array): void {
    this.process.stdin.write(text);
  }

  /** Resolves when `pattern` is in what it said, to standard output unless told otherwise. */
  async said(pattern: RegExp, stream: 'stdout' | 'stderr' = 'stdout'): Promise<void> {
    const deadline = performance.now() + WAIT_MS;
    while (!pattern.test(String(this[stream]))) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0 || !this.#isRunning) {
        throw new Error(`it did not say ${pattern}; it said:\n${this.stdout}\n${this.stderr}`);
      }
      const wake = new AbortController();
      const timer = setTimeout(() => wake.abort(), leftMs);
      const { signal } = wake;
      const events = [once(this.process[stream], 'data', { signal }), this.#ended];
      await Promise.race(events).catch(() => {});
      clearTimeout(timer);
      wake.abort();
    }
  }

  /** Ends its input, if that is open, and waits for its end. */
  async end(): Promise<{ status: number | null; signal: string | null }> {
    this.process.stdin.end();
    return await this.#ended;
  }

  /** Its end, which it comes to by itself. */
  get ended(): Promise<{ status: number | null; signal: string | null }> {
    return this.#ended;
  }

  async stop(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.#ended;
  }
}
