// SPDX-License-Identifier: Apache-2.0
// Running other programs for the development scripts: with a deadline, as their own process group,
// and with nothing left behind. Plain Node 18, no dependencies: it runs before `npm ci` did.

import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout this script belongs to. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** How long a program that was told to end may take before it is killed, in milliseconds. */
const graceMs = 10_000;

const running = new Set();

/** Once a signal came nothing more is started. */
let stopped = false;

const colour = process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' };

/** Signals the whole process group of `child`; a group that is gone already is no error. */
function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** What runs here is in groups of its own, out of reach of a terminal's Ctrl-C: it is passed on. */
function onSignal(signal) {
  stopped = true;
  process.exitCode = 130;
  for (const child of running) signalGroup(child, signal);
  setTimeout(() => {
    for (const child of running) signalGroup(child, 'SIGKILL');
    process.exit(130);
  }, graceMs).unref();
}

/** Signals are ours only while something runs; else they do what they do to any program. */
function began(child) {
  if (running.size === 0) for (const signal of signals) process.on(signal, onSignal);
  running.add(child);
}

function ended(child) {
  running.delete(child);
  if (running.size === 0) for (const signal of signals) process.off(signal, onSignal);
}

/** Ends `child` when its time is over: first by request, then by force. */
function armDeadline(child, timeoutS, onTimeout) {
  let kill;
  const term = setTimeout(() => {
    onTimeout();
    signalGroup(child, 'SIGTERM');
    kill = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs);
  }, timeoutS * 1000);
  return () => {
    clearTimeout(term);
    clearTimeout(kill);
  };
}

/**
 * Runs a program to its end. Never rejects for what the program does: the result says it.
 * Options: cwd, env (added to ours), timeoutS (default 600), quiet (do not show its output).
 * Returns {code, timedOut, output, seconds}; `code` is null when a signal ended it, 127 when it
 * could not be started.
 */
export function run(command, args = [], options = {}) {
  const { cwd = root, env = {}, timeoutS = 600, quiet = false } = options;
  const started = performance.now();
  if (stopped) return Promise.reject(new Error('stopped by a signal'));
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      // Our pipes hide from the program whether someone looks at a terminal.
      env: { ...process.env, ...colour, ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    began(child);
    let output = '';
    let timedOut = false;
    const disarm = armDeadline(child, timeoutS, () => {
      timedOut = true;
    });
    const take = (stream) => (chunk) => {
      output += chunk;
      if (!quiet) stream.write(chunk);
    };
    child.stdout.setEncoding('utf8').on('data', take(process.stdout));
    child.stderr.setEncoding('utf8').on('data', take(process.stderr));
    const done = (code) => {
      disarm();
      ended(child);
      resolve({ code, timedOut, output, seconds: (performance.now() - started) / 1000 });
    };
    child.on('error', (error) => {
      output += `${command}: ${error.message}\n`;
      done(127);
    });
    // What the program left in the background must not outlive its stage.
    child.on('exit', () => {
      if (child.pid !== undefined) signalGroup(child, 'SIGKILL');
    });
    child.on('close', (code) => done(code));
  });
}

/** Like `run`, but a failure is an Error that names the command and, when quiet, shows its output. */
export async function must(command, args = [], options = {}) {
  const result = await run(command, args, options);
  if (result.code === 0 && !result.timedOut) return result;
  if (options.quiet) process.stderr.write(result.output);
  const line = [command, ...args].join(' ');
  const why = result.timedOut
    ? `not finished after ${options.timeoutS ?? 600} s`
    : `exit ${result.code ?? 'by signal'}`;
  throw new Error(`${line}: ${why}`);
}

/** Where `name` is on the PATH, or undefined. */
export function which(name) {
  const sbin = ['/usr/local/sbin', '/usr/sbin', '/sbin'];
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...sbin]) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** Prints a heading, runs `work`, prints how long it took; returns what `work` returns. */
export async function step(name, work) {
  const started = performance.now();
  console.log(`== ${name}`);
  try {
    return await work();
  } finally {
    console.log(`== ${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
}

let wrapper;

/**
 * Words to put before a sanitizer's program. ThreadSanitizer of GCC 12 cannot run where the kernel
 * randomises more bits of an address than it expects, so randomisation is switched off where that
 * is allowed.
 */
export function withoutRandomAddresses() {
  wrapper ??=
    spawnSync('setarch', ['-R', 'true'], { stdio: 'ignore' }).status === 0 ? ['setarch', '-R'] : [];
  return wrapper;
}

/** Runs `main` as a command: an error is one line and exit status 1. */
export function command(main) {
  main(process.argv.slice(2)).then(
    (code) => {
      process.exitCode ??= code ?? 0;
    },
    (error) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    },
  );
}

/** True when the module at `url` is the program being run, not imported by another. */
export function isMain(url) {
  return process.argv[1] === fileURLToPath(url);
}
