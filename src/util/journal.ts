// SPDX-License-Identifier: Apache-2.0
// Log entries as the journal takes them, with their fields (systemd's "Native Journal Protocol").

import { fstatSync } from 'node:fs';
import { messageIds } from './message-ids.ts';

/** Hands one datagram over without waiting; false when it is not taken. */
export type JournalSender = (bytes: Uint8Array) => boolean;

export interface JournalEntry {
  readonly priority: number;
  /** The whole line, as a reader of `journalctl` sees it. */
  readonly text: string;
  /** What was logged, before its details were added. */
  readonly message: string | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What one value may have of a datagram, which has to fit into a socket's buffer. */
const maxValueBytes = 8192;
const maxFields = 32;

/** Whether standard error is the stream that the service manager connected to the journal. */
export function isJournalStream(env: NodeJS.ProcessEnv, fd = 2): boolean {
  const wanted = env['JOURNAL_STREAM'];
  if (wanted === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return wanted === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** `lastReset` is RPMSG_LAST_RESET. */
function fieldName(key: string): string {
  const words = key.replace(/[A-Z]/g, '_$&').replace(/[^A-Za-z0-9]/g, '_');
  return `RPMSG_${words.toUpperCase()}`.slice(0, 64);
}

function fieldText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
}

/** Name, newline, length and value: a value may have any byte in it. */
function field(name: string, text: string): Buffer {
  const value = Buffer.from(text).subarray(0, maxValueBytes);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, value, Buffer.from('\n')]);
}

/** One datagram. */
export function encodeEntry({ priority, text, message, fields }: JournalEntry): Buffer {
  const id = Object.hasOwn(messageIds, message ?? '') ? messageIds[message ?? ''] : undefined;
  return Buffer.concat([
    field('MESSAGE', text),
    field('PRIORITY', String(priority)),
    field('SYSLOG_IDENTIFIER', 'rpmsgd'),
    ...(id === undefined ? [] : [field('MESSAGE_ID', id)]),
    ...Object.entries(fields)
      .slice(0, maxFields)
      .map(([key, value]) => field(fieldName(key), fieldText(value))),
  ]);
}

/** Sends entries; counts those that the journal did not take, and says so when it takes one again. */
export class JournalWriter {
  readonly #send: JournalSender;
  #lost = 0;

  constructor(send: JournalSender) {
    this.#send = send;
  }

  write(entry: JournalEntry): void {
    if (this.#lost > 0 && this.#send(encodeEntry(lostEntry(this.#lost)))) this.#lost = 0;
    if (!this.#send(encodeEntry(entry))) this.#lost += 1;
  }
}

function lostEntry(count: number): JournalEntry {
  const message = 'log entries were lost: the journal did not take them';
  return { priority: 4, text: `${message} count=${count}`, message, fields: { count } };
}
