// SPDX-License-Identifier: Apache-2.0
// Talks to the service manager (sd_notify(3)): through sd-notify where that loads, else by a
// datagram of our own. Without a service manager every call does nothing.

import { createRequire } from 'node:module';
import { notify } from '../addon/system.ts';
import type { ManagerEnvironment } from './environment.ts';

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

export function createNotifier(
  { notifySocket, watchdogMs }: ManagerEnvironment,
  send?: NotifySender,
): Notifier {
  if (notifySocket === undefined) return new ServiceNotifier(() => {}, undefined);
  return new ServiceNotifier(send ?? openSender(notifySocket), watchdogMs);
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
    // What its JavaScript would load, after a search in a dozen places.
    return createRequire(import.meta.url)('sd-notify/build/Release/notify.node') as SdNotify;
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
