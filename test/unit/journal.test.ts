// SPDX-License-Identifier: Apache-2.0
// What the journal is given, and what its catalog knows of it.

import { fstatSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { encodeEntry, isJournalStream, JournalWriter } from '../../src/util/journal.ts';
import { createLogger } from '../../src/util/log.ts';
import { messageIds } from '../../src/util/message-ids.ts';
import { filesBelow } from './support/files.ts';

const root = new URL('../../', import.meta.url);
const catalog = readFileSync(new URL('systemd/rpmsgd.catalog', root), 'utf8');

/** Reads a datagram back, as journald does. */
function decode(bytes: Uint8Array): Record<string, string> {
  const rest = Buffer.from(bytes);
  const fields: Record<string, string> = {};
  for (let at = 0; at < rest.length; ) {
    const end = rest.indexOf('\n', at);
    const length = Number(rest.readBigUInt64LE(end + 1));
    const start = end + 9;
    fields[rest.toString('utf8', at, end)] = rest.toString('utf8', start, start + length);
    expect(rest[start + length]).toBe(0x0a);
    at = start + length + 1;
  }
  return fields;
}

/** A logger whose standard error is the journal, and the datagrams it sent. */
function journalLogger() {
  const sent: Record<string, string>[] = [];
  const { dev, ino } = fstatSync(2, { bigint: true });
  const env = { JOURNAL_STREAM: `${dev}:${ino}` };
  const journal = (bytes: Uint8Array) => sent.push(decode(bytes)) > 0;
  return { sent, logger: createLogger({ level: 'debug', env, journal }) };
}

it('gives the journal priority, message id, remote and vdev as fields', () => {
  const { sent, logger } = journalLogger();
  logger.warn({ remote: 'cm40', vdev: 1, state: 'faulted' }, 'vdev state');
  expect(sent).toEqual([
    {
      MESSAGE: 'vdev state remote=cm40 vdev=1 state=faulted',
      PRIORITY: '4',
      SYSLOG_IDENTIFIER: 'rpmsgd',
      MESSAGE_ID: messageIds['vdev state'],
      RPMSG_REMOTE: 'cm40',
      RPMSG_VDEV: '1',
      RPMSG_STATE: 'faulted',
    },
  ]);
});

it('maps every level to the priority that syslog has for it', () => {
  const { sent, logger } = journalLogger();
  for (const level of ['fatal', 'error', 'warn', 'info', 'debug'] as const) logger[level](level);
  expect(sent.map(({ PRIORITY }) => PRIORITY)).toEqual(['2', '3', '4', '6', '7']);
});

it('lets no value of a peer become a field of its own', () => {
  const entry = { priority: 4, text: 'x', message: 'x', fields: { name: 'a\nPRIORITY=0\n' } };
  const fields = decode(encodeEntry(entry));
  expect(fields['RPMSG_NAME']).toBe('a\nPRIORITY=0\n');
  expect(fields['PRIORITY']).toBe('4');
});

it('bounds what one entry may hold', () => {
  const fields = Object.fromEntries(
    Array.from({ length: 1000 }, (_, index) => [`key${index}`, 'x'.repeat(100_000)]),
  );
  const bytes = encodeEntry({ priority: 4, text: 'y'.repeat(100_000), message: 'y', fields });
  expect(bytes.length).toBeLessThan(300_000);
});

it('does not wait for a journal that takes nothing, and tells later how much was lost', () => {
  const taken: string[] = [];
  let isStuck = true;
  const writer = new JournalWriter((bytes) => {
    if (!isStuck) taken.push(decode(bytes)['MESSAGE'] ?? '');
    return !isStuck;
  });
  const write = (text: string) => writer.write({ priority: 6, text, message: text, fields: {} });
  write('one');
  write('two');
  isStuck = false;
  write('three');
  expect(taken).toEqual(['log entries were lost: the journal did not take them count=2', 'three']);
});

it('takes standard error for the journal only if it is the very stream', () => {
  const { dev, ino } = fstatSync(2, { bigint: true });
  expect(isJournalStream({ JOURNAL_STREAM: `${dev}:${ino}` })).toBe(true);
  expect(isJournalStream({ JOURNAL_STREAM: `${dev}:${ino + 1n}` })).toBe(false);
  expect(isJournalStream({})).toBe(false);
});

it('has a catalog entry for every message id, and no other', () => {
  const ids = [...catalog.matchAll(/^-- ([0-9a-f]{32})$/gm)].map(([, id]) => id);
  expect(ids.sort()).toEqual(Object.values(messageIds).sort());
});

it('has a message id only for what is logged', () => {
  const sources = filesBelow(new URL('src/', root), /(?<!message-ids)\.ts$/)
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  const unknown = Object.keys(messageIds).filter((message) => !sources.includes(`'${message}'`));
  expect(unknown).toEqual([]);
});
