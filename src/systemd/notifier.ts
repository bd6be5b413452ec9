// SPDX-License-Identifier: Apache-2.0
// Talks to the service manager (sd_notify(3)): through sd-notify where that loads, else by a
// datagram of our own. Without a service manager every call does nothing.

import { createRequire } from 'node:module';
import { notify } from '../addon/system.ts';

/** Hands one message of `KEY=value` lines over. */
export type NotifySender = (text: string) => void;

export interface Notifier {
  ready(status: string): void;
  status(text: string): void;
  /** Begins a reload; ready() ends it. */
  reloading(): void;
  stopping(status: string): void;
  keepAlive(): void;
  /** How often the service manager wants to hear keepAlive(); undefined: never. */
  readonly watchdogMs: number | undefined;
}

/**
 * Takes what concerns us out of `env`, so that programs started from here do not speak in our name.
 */
export function createNotifier(
  env: NodeJS.ProcessEnv = process.env,
  send?: NotifySender,
): Notifier {
  const socket = env['NOTIFY_SOCKET'];
  const watchdogMs = readWatchdog(env);
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  if (socket === undefined || socket === '') return new ServiceNotifier(() => {}, undefined);
  return new ServiceNotifier(send ?? openSender(socket), watchdogMs);
}

/** sd_watchdog_enabled(3): the interval is meant for us only if the pid is ours or absent. */
function readWatchdog(env: NodeJS.ProcessEnv): number | undefined {
  const usec = Number(env['WATCHDOG_USEC']);
  const pid = env['WATCHDOG_PID'];
  const isOurs = pid === undefined || Number(pid) === process.pid;
  return isOurs && Number.isSafeInteger(usec) && usec > 0 ? usec / 1000 : undefined;
}

interface SdNotify {
  sendState(text: string): void;
}

function openSender(socket: string): NotifySender {
  const library = loadLibrary();
  if (library === undefined) return (text) => void notify(socket, text);
  return (text) => {
    // libsystemd reads the variable at each call.
    process.env['NOTIFY_SOCKET'] = socket;
    try {
      library.sendState(text);
    } finally {
      delete process.env['NOTIFY_SOCKET'];
    }
  };
}

/** sd-notify is tied to the Node it was built for and to libsystemd; doing without is no error. */
function loadLibrary(): SdNotify | undefined {
  try {
    return createRequire(import.meta.url)('sd-notify') as SdNotify;
  } catch {
    return undefined;
  }
}

class ServiceNotifier implements Notifier {
  readonly watchdogMs: number | undefined;
  readonly #send: NotifySender;
  #lastStatus: string | undefined;

  constructor(send: NotifySender, watchdogMs: number | undefined) {
    this.#send = send;
    this.watchdogMs = watchdogMs;
  }

  ready(status: string): void {
    this.#lastStatus = status;
    this.#send(`READY=1\n${statusLine(status)}`);
  }

  status(text: string): void {
    if (text === this.#lastStatus) return;
    this.#lastStatus = text;
    this.#send(statusLine(text));
  }

  reloading(): void {
    this.#send(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  stopping(status: string): void {
    this.#lastStatus = status;
    this.#send(`STOPPING=1\n${statusLine(status)}`);
  }

  keepAlive(): void {
    this.#send('WATCHDOG=1');
  }
}

/** A status is one line. */
function statusLine(text: string): string {
  return `STATUS=${text.replaceAll('\n', ' ')}`;
}
