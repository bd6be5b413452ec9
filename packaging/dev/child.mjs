// SPDX-License-Identifier: Apache-2.0
// A long-running program that the development scripts start and stop: its own process group, its
// output kept for the case that something goes wrong.

import { spawn } from 'node:child_process';

const keptBytes = 16_384;
const graceMs = 10_000;

export class Child {
  /** What it wrote to standard error and output, the last 16 KiB of it. */
  output = '';
  /** Resolves with {code, signal} once it has ended, however that came. */
  exited;
  #child;
  #name;
  #result;

  /** Options: env (added to ours), show (pass its standard error on). */
  constructor(name, command, args, { env = {}, show = false } = {}) {
    this.#name = name;
    this.#child = spawn(command, args, {
      env: { ...process.env, ...env },
      // Ctrl-C is for the program in front; what stands behind it is stopped in order.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout.on('data', (chunk) => this.#keep(chunk));
    this.#child.stderr.on('data', (chunk) => {
      this.#keep(chunk);
      if (show) process.stderr.write(chunk);
    });
    this.exited = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.output += `${error.message}\n`;
        resolve({ code: 127, signal: null });
      });
      this.#child.once('close', (code, signal) => resolve({ code, signal }));
    });
    void this.exited.then((result) => {
      this.#result = result;
    });
  }

  get name() {
    return this.#name;
  }

  get pid() {
    return this.#child.pid;
  }

  get running() {
    return this.#result === undefined;
  }

  /** Sends a signal, unless it has ended. */
  kill(signal) {
    if (this.running) this.#child.kill(signal);
  }

  /** Resolves when `pattern` is in its output; rejects when it ends before. */
  async said(pattern, timeoutMs = 10_000) {
    const started = performance.now();
    while (!pattern.test(this.output)) {
      const leftMs = timeoutMs - (performance.now() - started);
      if (leftMs <= 0) throw this.failure(`did not say ${pattern} within ${timeoutMs} ms`);
      if (!this.running) throw this.failure();
      await this.#changed(leftMs);
    }
  }

  /** Asks it to end and waits; kills it when it does not. Resolves with {code, signal}. */
  async stop(signal = 'SIGTERM') {
    this.kill(signal);
    const timer = setTimeout(() => this.kill('SIGKILL'), graceMs);
    const result = await this.exited;
    clearTimeout(timer);
    return result;
  }

  /** An error that says how it ended and what it said last. */
  failure(what) {
    const how = this.#result?.signal ?? `status ${this.#result?.code}`;
    return new Error(`${this.#name} ${what ?? `ended with ${how}`}:\n${this.output}`);
  }

  #keep(chunk) {
    this.output = `${this.output}${chunk}`.slice(-keptBytes);
  }

  #changed(timeoutMs) {
    const streams = [this.#child.stdout, this.#child.stderr];
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        for (const stream of streams) stream.off('data', done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      for (const stream of streams) stream.on('data', done);
      void this.exited.then(done);
    });
  }
}
