// SPDX-License-Identifier: Apache-2.0
// The file in which one daemon leaves its objects to the next: what survives which death, what is
// not believed, how large it gets.

import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changes, ObjectStore, objectsFile } from '../../src/state/object-store.ts';
import type { EndpointRecord } from '../../src/state/records.ts';

let directory: string;
let file: string;
let warnings: string[];
let errors: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rpmsgd-store-'));
  file = join(directory, objectsFile);
  warnings = [];
  errors = [];
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function open(boot = 'this boot'): ObjectStore {
  const logger = {
    warn: (details: object, message: string) =>
      warnings.push(`${JSON.stringify(details)} ${message}`),
    error: (details: object, message: string) =>
      errors.push(`${JSON.stringify(details)} ${message}`),
  };
  return ObjectStore.open(directory, logger, boot);
}

function endpoint(id: number, name = 'mine'): EndpointRecord {
  return { id, remote: 'cm40', vdev: 0, kind: 'persistent', name, local: 1024 + id, rxQueue: 256 };
}

const idsIn = (store: ObjectStore) => store.found.endpoints.map(({ id }) => id);

describe('the store', () => {
  it('gives the next daemon what was committed, and nothing that was taken back', () => {
    const store = open();
    store.commit(changes.endpoint(endpoint(1)), changes.endpoint(endpoint(2)));
    store.commit(changes.noEndpoint(1));
    store.commit(changes.endpoint(endpoint(2, 'renamed')), changes.bus('a bus'));
    const { found } = open();
    expect(found.endpoints).toEqual([endpoint(2, 'renamed')]);
    expect(found.busId).toBe('a bus');
    expect(warnings).toEqual([]);
  });

  it('knows the highest number although its endpoint is gone', () => {
    const store = open();
    store.commit(changes.endpoint(endpoint(7)), ...store.numbered(7));
    store.commit(changes.endpoint(endpoint(3)), ...store.numbered(3));
    store.commit(changes.noEndpoint(7), changes.noEndpoint(3));
    expect(open().found.lastNumber).toBe(7);
  });

  it('takes the newest acknowledgement of a subscription', () => {
    const store = open();
    const record = { endpoint: 1, sender: ':1.5', uid: 0, window: 8, ack: 'auto' } as const;
    store.commit(changes.subscription({ ...record, acknowledgedBefore: 3 }));
    store.commit(changes.acknowledged(1, ':1.5', 17));
    expect(open().found.subscriptions[0]?.acknowledgedBefore).toBe(17);
  });

  it('is for its owner alone', () => {
    open();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('tells, unread, whether an earlier daemon of this boot has known a remote', () => {
    const record = { generation: 1, resetCount: 0, lastReset: { timeUs: 0, cause: '' } };
    const knows = (remote: string, boot = 'this boot') =>
      ObjectStore.knows(directory, remote, boot);
    expect(knows('cm40')).toBe(false);
    open().commit(changes.remote('cm40', record));
    expect([knows('cm40'), knows('cm4'), knows('cm41')]).toEqual([true, false, false]);
    expect(knows('cm40', 'another boot')).toBe(false);
    writeFileSync(file, 'hello');
    expect(knows('cm40')).toBe(false);
  });

  it('keeps names of any bytes', () => {
    const raw = Buffer.from([0xff, 0x0a, 0x22, 0x5c]).toString('latin1');
    const channel = { remote: 'cm40', vdev: 0, raw, ordinal: 1, address: 30, isAlive: true };
    const record = { ...channel, generation: 1, endpoint: { id: 3, local: 1024, rxQueue: 256 } };
    open().commit(changes.channel(record));
    expect(open().found.channels).toEqual([record]);
  });
});

describe('a death', () => {
  it('in the middle of a line loses that change alone, wherever it was cut', () => {
    open().commit(changes.endpoint(endpoint(1)));
    const before = statSync(file).size;
    open().commit(changes.endpoint(endpoint(2)), changes.endpoint(endpoint(3)));
    const whole = readFileSync(file);
    for (let size = before; size < whole.length; size++) {
      writeFileSync(file, whole.subarray(0, size));
      expect(idsIn(open())).toEqual([1]);
    }
    writeFileSync(file, whole);
    expect(idsIn(open())).toEqual([1, 2, 3]);
    expect(warnings).toEqual([]);
  });

  it('while the file is written anew leaves the old one', () => {
    open().commit(changes.endpoint(endpoint(1)));
    writeFileSync(`${file}.new`, '{"rpmsgd":"obj');
    expect(idsIn(open())).toEqual([1]);
  });
});

describe('a file that cannot be believed is ignored with a warning that names it', () => {
  const damage: [string, () => void][] = [
    ['of another boot', () => void open('another boot').commit(changes.bus('x'))],
    [
      'damaged in the middle',
      () => writeFileSync(file, readFileSync(file, 'utf8').replace('[[', '[{')),
    ],
    ['with a key that does not exist', () => appendFileSync(file, '[["colour",1]]\n')],
    ['with a value of the wrong shape', () => appendFileSync(file, '[["endpoint/9",{"id":9}]]\n')],
    [
      'with an address too high',
      () =>
        appendFileSync(
          file,
          `${JSON.stringify([changes.endpoint({ ...endpoint(9), local: 2 ** 32 })])}\n`,
        ),
    ],
    ['of something else', () => writeFileSync(file, 'hello\n')],
    ['empty', () => truncateSync(file)],
  ];
  it.each(damage)('%s', (_what, spoil) => {
    open().commit(changes.endpoint(endpoint(1)));
    spoil();
    warnings = [];
    const store = open();
    expect(idsIn(store)).toEqual([]);
    expect(warnings.join()).toContain(file);
    store.commit(changes.endpoint(endpoint(2)));
    expect(idsIn(open())).toEqual([2]);
  });
});

describe('the file', () => {
  it('does not grow with what is out of date', () => {
    const store = open();
    const record = { endpoint: 1, sender: ':1.5', uid: 0, window: 8, ack: 'auto' } as const;
    store.commit(changes.subscription({ ...record, acknowledgedBefore: 0 }));
    let largest = 0;
    for (let seq = 0; seq < 20_000; seq++) {
      store.commit(changes.acknowledged(1, ':1.5', seq));
      if (seq % 100 === 0) largest = Math.max(largest, statSync(file).size);
    }
    expect(largest).toBeLessThan(80 * 1024);
    expect(open().found.subscriptions[0]?.acknowledgedBefore).toBe(19_999);
  });

  it('that cannot be written makes commits fail, says so once, and catches up', () => {
    const store = open();
    // Neither a name for the new file nor, once enough is out of date, the old one will do.
    mkdirSync(`${file}.new`);
    let isStored = true;
    for (let n = 0; isStored && n < 10_000; n++) isStored = store.commit(changes.bus(`bus ${n}`));
    expect(isStored).toBe(false);
    expect(store.commit(changes.endpoint(endpoint(5)))).toBe(false);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(file);
    rmSync(`${file}.new`, { recursive: true });
    expect(store.commit()).toBe(true);
    expect(idsIn(open())).toEqual([5]);
  });

  it('that cannot be replaced at the start is read, and replaced later', () => {
    open().commit(changes.endpoint(endpoint(1)));
    mkdirSync(`${file}.new`);
    const store = open();
    expect(idsIn(store)).toEqual([1]);
    expect(store.commit(changes.endpoint(endpoint(2)))).toBe(false);
    expect(errors).toHaveLength(1);
    rmSync(`${file}.new`, { recursive: true });
    expect(store.commit(changes.endpoint(endpoint(3)))).toBe(true);
    expect(idsIn(open())).toEqual([1, 2, 3]);
  });

  it('is left as it is once it is frozen', () => {
    const store = open();
    store.commit(changes.endpoint(endpoint(1)));
    store.freeze();
    expect(store.commit(changes.noEndpoint(1))).toBe(false);
    expect(idsIn(open())).toEqual([1]);
  });

  it('that cannot be made at all is an error', () => {
    rmSync(directory, { recursive: true });
    expect(() => open()).toThrow(/objects/);
    expect(existsSync(directory)).toBe(false);
  });
});
