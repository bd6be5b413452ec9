// SPDX-License-Identifier: Apache-2.0
// pino, written the way its reader wants it: to the journal with fields, or to standard error with a
// priority, as plain lines, or as JSON.

import { type Logger, pino } from 'pino';
import {
  isJournalStream,
  type JournalEntry,
  type JournalSender,
  JournalWriter,
} from './journal.ts';

export type { Logger } from 'pino';

export const logFormats = ['auto', 'plain', 'journal', 'json'] as const;
export type LogFormat = (typeof logFormats)[number];

/** pino's numeric levels and the journal's priorities (sd-daemon(3)). */
const levels: readonly (readonly [least: number, name: string, priority: number])[] = [
  [60, 'fatal', 2],
  [50, 'error', 3],
  [40, 'warn', 4],
  [30, 'info', 6],
  [0, 'debug', 7],
];

interface Entry {
  readonly level: number;
  readonly msg?: string;
  readonly [key: string]: unknown;
}

function printField([key, value]: [string, unknown]): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return `${key}=${value}`;
  return `${key}=${JSON.stringify(value)}`;
}

interface PrintedError {
  readonly message: string;
  readonly stack?: string;
}

/** What pino keeps of an error. Its causes are for debuggers: their text is in the message already. */
function keepError(error: unknown): PrintedError {
  if (!(error instanceof Error)) return { message: String(error) };
  return { message: error.message, ...(error.stack === undefined ? {} : { stack: error.stack }) };
}

function oneLine(text: string): string {
  return text.replaceAll('\n', '\\n');
}

/** One entry of pino's JSON: its line without what stands before it, and its parts. */
function readEntry(json: string): JournalEntry & { readonly name: string } {
  const { level, msg, err, time: _time, ...fields } = JSON.parse(json) as Entry;
  const [, name, priority] = levels.find(([least]) => level >= least) ?? [0, 'info', 6];
  const error = err as PrintedError | undefined;
  // A stack tells a bug's reader something, and nobody else.
  if (level >= 60 && error?.stack !== undefined) Object.assign(fields, { stack: error.stack });
  const parts = [msg, error?.message].filter((part) => part !== undefined && part !== '');
  const rest = Object.entries(fields).map((field) => ` ${printField(field)}`);
  const text = `${oneLine(parts.join(': '))}${rest.join('')}`;
  return { name, priority, text, message: msg, fields };
}

/** One line of pino's JSON as `message key=value`, behind `<priority>` or the level's name. */
export function formatLine(json: string, format: 'plain' | 'journal'): string {
  const { name, priority, text } = readEntry(json);
  return `${format === 'journal' ? `<${priority}>` : `${name.padEnd(5)} `}${text}\n`;
}

function chooseFormat(wanted: LogFormat, env: NodeJS.ProcessEnv): Exclude<LogFormat, 'auto'> {
  if (wanted !== 'auto') return wanted;
  return env['JOURNAL_STREAM'] === undefined ? 'plain' : 'journal';
}

export interface LogOptions {
  readonly level: string;
  readonly format?: LogFormat;
  readonly env?: NodeJS.ProcessEnv;
  readonly write?: (text: string) => void;
  /** The way to the journal, used with format `auto` where standard error is the journal. */
  readonly journal?: JournalSender;
}

/** What takes pino's JSON. */
function chooseWriter(options: LogOptions): (json: string) => void {
  const { env = process.env, format: wanted = 'auto', journal } = options;
  if (wanted === 'auto' && journal !== undefined && isJournalStream(env)) {
    const writer = new JournalWriter(journal);
    return (json) => writer.write(readEntry(json));
  }
  const format = chooseFormat(wanted, env);
  const write = options.write ?? ((text: string) => process.stderr.write(text));
  return (json) => void write(format === 'json' ? json : formatLine(json, format));
}

/** The level may be changed at any time: `logger.level = 'debug'`. */
export function createLogger(options: LogOptions): Logger {
  const destination = { write: chooseWriter(options) };
  return pino({ level: options.level, base: null, serializers: { err: keepError } }, destination);
}
