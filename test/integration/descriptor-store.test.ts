// SPDX-License-Identifier: Apache-2.0
// Descriptors that outlive the process that had them: real sockets, kept by a service manager.

import { closeSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { Child } from '../../packaging/dev/child.mjs';
import { DescriptorStore } from '../../src/systemd/descriptor-store.ts';
import { compileHelper } from '../support/bus-process.ts';
import { ManagedService, type ManagerOptions } from '../support/service-manager.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const holder = `${root}build/test-support/descriptor-holder.mjs`;
let service: ManagedService | undefined;

beforeAll(async () => {
  await build({
    entryPoints: [`${root}test/support/descriptor-holder.ts`],
    outfile: holder,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node18',
  });
});
afterEach(async () => {
  await service?.stop();
});

/** Runs the holder (descriptor-holder.ts) with one end of a pair. */
function hold(words: readonly string[], options?: ManagerOptions, peer = 'stay'): ManagedService {
  const program = [compileHelper('seqpacket-pair'), peer, process.execPath, holder];
  service = ManagedService.start([...program, ...words], options);
  return service;
}

test('a socket and the packets in it survive every SIGKILL of their holder', async () => {
  const held = hold(['serve', 'stream-7']);
  await held.ready(1);
  expect(held.output).toContain('HOLDER stored stream-7 true\n');
  await held.kill(1);
  await held.said(/^PEER one read$/m);
  expect(held.output).toContain('HOLDER inherited stream-7, a socket\nHOLDER read one\n');
  await held.kill(2);
  await held.said(/^PEER two read$/m);
  await held.kill(3, 'SIGTERM');
  await held.said(/^PEER three read$/m);
});

test('a socket is kept by the time that store() resolves', async () => {
  const held = hold(['die-stored', 'stream-7']);
  await held.said(/^PEER one read$/m);
  expect(held.output).toMatch(/^ENDED 1 -9$/m);
});

test('nothing counts as kept before the service manager has acted on it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'rpmsgd-store-'));
  const notifySocket = join(directory, 'notify');
  // It drops what it is sent, which ends the barrier.
  const ear = new Child('notify-listener', compileHelper('notify-listener'), [notifySocket]);
  try {
    await ear.said(/^LISTENING$/m);
    ear.kill('SIGSTOP');
    let isKept = false;
    const store = new DescriptorStore({ notifySocket, watchdogMs: undefined, descriptors: [] });
    const kept = store.store('stream-7', 0).then((answer) => {
      isKept = answer;
    });
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(isKept).toBe(false);
    ear.kill('SIGCONT');
    await kept;
    expect(isKept).toBe(true);
    // It says so after it took the datagram, which is what ended the barrier.
    await ear.said(/^FDSTORE=1\|FDNAME=stream-7\|FDPOLL=0\nBARRIER=1\n/m);
  } finally {
    await ear.stop('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
});

test('removed and closed it is gone for its peer too', async () => {
  const held = hold(['serve', 'stream-7']);
  for (const life of [1, 2, 3]) await held.kill(life);
  await held.said(/^DROPPED 4 stream-7$/m);
  await held.said(/^PEER END$/m);
});

test('what a peer sent before it hung up is kept too', async () => {
  const held = hold(['serve', 'stream-7'], {}, 'leave');
  for (const life of [1, 2, 3]) await held.kill(life);
  await held.said(/^HOLDER read three$/m);
  expect(held.output).toContain('HOLDER read two\nHOLDER cannot answer: EPIPE\n');
});

test('one descriptor is kept once, under its first name', async () => {
  const held = hold(['serve', 'stream-7', 'stream-8']);
  await held.kill(1);
  await held.said(/^HOLDER inherited stream-7, a socket$/m);
});

test('what a service manager has no room for ends with its holder', async () => {
  const held = hold(['serve', 'stream-7'], { storeMax: 0 });
  await held.kill(1);
  await held.said(/^PEER END$/m);
});

test('of one name the last is inherited, and what is none is closed', () => {
  // Descriptors of this process stand for those handed over.
  const [first, last, nameless] = [1, 2, 3].map(() => openSync('/dev/null', 'r')) as number[];
  const store = new DescriptorStore({
    notifySocket: undefined,
    watchdogMs: undefined,
    descriptors: [
      { name: 'a', fd: first ?? -1 },
      { name: 'a', fd: last ?? -1 },
      { name: '', fd: nameless ?? -1 },
      { name: 'never open', fd: 1_000_000 },
    ],
  });
  expect([...store.inherited()]).toEqual([['a', last]]);
  expect(() => fstatSync(first ?? -1)).toThrow('EBADF');
  expect(() => fstatSync(nameless ?? -1)).toThrow('EBADF');
  closeSync(last ?? -1);
});

test('without a service manager nothing is kept, and that is no error', async () => {
  const none = { notifySocket: undefined, watchdogMs: undefined, descriptors: [] };
  const store = new DescriptorStore(none);
  expect(await store.store('stream-7', 0)).toBe(false);
  expect(store.remove('stream-7')).toBe(false);
  expect(await new DescriptorStore({ ...none, notifySocket: '/nobody' }).store('a', 0)).toBe(false);
});

test.each(['', 'a:b', 'a\nREADY=1', 'ä', 'x'.repeat(31)])(
  'the name %j is refused, naming the rule',
  async (name) => {
    const none = { notifySocket: undefined, watchdogMs: undefined, descriptors: [] };
    const store = new DescriptorStore(none);
    const rule = /must have 1 to 30 printable ASCII characters, and no colon$/;
    await expect(store.store(name, 0)).rejects.toThrow(rule);
    expect(() => store.remove(name)).toThrow(rule);
  },
);
