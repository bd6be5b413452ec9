// SPDX-License-Identifier: Apache-2.0
// A field's value as a person writes it.

import { type Field, largest } from '../../nxp/index.ts';
import { usage } from '../options.ts';

/** @throws RpmsgctlError naming the field, the word and what it may be */
export function parseValue(field: Field, word: string): number {
  const value = named(field, word) ?? numeric(word);
  const [least, most] = rangeOf(field);
  if (value !== undefined && value >= least && value <= most) return value;
  throw usage(`${field.name} is ${rule(field)}, not ${JSON.stringify(word)}`);
}

function rangeOf(field: Field): readonly [number, number] {
  return field.range ?? [0, largest(field)];
}

function named({ meaning }: Field, word: string): number | undefined {
  if (meaning === 'switch') return { off: 0, on: 1 }[word];
  if (meaning === 'time') return time(word);
  if (typeof meaning !== 'object') return undefined;
  const found = Object.entries(meaning).find(([, name]) => name === word);
  return found === undefined ? undefined : Number(found[0]);
}

function time(word: string): number | undefined {
  if (word === 'now') return Math.floor(Date.now() / 1000);
  if (!/^\d{4}-\d{2}-\d{2}T[\d:]+Z$/.test(word)) return undefined;
  const seconds = Date.parse(word) / 1000;
  return Number.isNaN(seconds) ? undefined : seconds;
}

function numeric(word: string): number | undefined {
  return /^(?:\d{1,10}|0x[0-9a-fA-F]{1,8})$/.test(word) ? Number(word) : undefined;
}

function rule(field: Field): string {
  const { meaning } = field;
  if (meaning === 'switch') return 'on or off';
  if (meaning === 'time') {
    return 'now, a time as 2026-01-31T12:00:00Z, or seconds since 1970, before 2106-02-07T06:28:16Z';
  }
  const number = `a number from ${rangeOf(field).join(' to ')}`;
  return typeof meaning === 'object' ? `one of ${Object.values(meaning).join(', ')}` : number;
}
