// SPDX-License-Identifier: Apache-2.0
// A program that is spoken to by lines and answers by lines.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

const patienceMs = 30_000;

export class Conversation {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #name: string;
  readonly #lines: string[] = [];
  readonly #exited: Promise<void>;
  #rest = '';
  #complaint = '';
  #hasEnded = false;
  #changed: (() => void) | undefined;

  constructor([command = '', ...args]: readonly string[]) {
    this.#name = command === 'taskset' ? (args[2] ?? '') : command;
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => this.#take(text));
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = `${this.#complaint}${text}`.slice(-4_000);
    });
    // It may end before it has read what it is told.
    this.#child.stdin.on('error', () => {});
    this.#exited = new Promise((resolve) => {
      const end = () => {
        this.#hasEnded = true;
        this.#changed?.();
        resolve();
      };
      this.#child.once('error', end);
      this.#child.once('close', end);
    });
  }

  get pid(): number {
    return Number(this.#child.pid);
  }

  say(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** The next line that matches, those before it dropped; rejects at the deadline or its end. */
  async next(pattern: RegExp): Promise<RegExpMatchArray> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const line = this.#lines.shift();
      const match = line?.match(pattern);
      if (match) return match;
      if (line !== undefined) continue;
      const leftMs = deadline - performance.now();
      if (this.#hasEnded || leftMs <= 0) {
        throw new Error(`${this.#name} did not say ${pattern}: ${this.#complaint}`);
      }
      await this.#change(leftMs);
    }
  }

  /** Ends its input, which it takes for its end; kills it if it does not. */
  async stop(): Promise<void> {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), patienceMs);
    await this.#exited;
    clearTimeout(timer);
  }

  #take(text: string): void {
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    this.#lines.push(...lines);
    this.#changed?.();
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#changed = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
