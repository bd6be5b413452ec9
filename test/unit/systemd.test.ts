// SPDX-License-Identifier: Apache-2.0
// What the service manager is told, and when it is told nothing.

import { expect, test } from 'vitest';
import { takeManagerEnvironment } from '../../src/systemd/environment.ts';
import { createNotifier } from '../../src/systemd/notifier.ts';
import { Watchdog } from '../../src/systemd/watchdog.ts';

function notifier(env: NodeJS.ProcessEnv) {
  const sent: string[] = [];
  const manager = takeManagerEnvironment(env);
  return { sent, notifier: createNotifier(manager, (text) => void sent.push(text)) };
}

test('ready, status and stopping are said with one line of status', () => {
  const { sent, notifier: to } = notifier({ NOTIFY_SOCKET: '/run/n' });
  to.ready('cm40 waiting');
  to.status('cm40 attached\nforged=1');
  to.stopping('bye');
  expect(sent).toEqual([
    'READY=1\nSTATUS=cm40 waiting',
    'STATUS=cm40 attached forged=1',
    'STOPPING=1\nSTATUS=bye',
  ]);
});

test('a status that did not change is not said again', () => {
  const { sent, notifier: to } = notifier({ NOTIFY_SOCKET: '/run/n' });
  to.ready('a');
  to.status('a');
  expect(sent).toHaveLength(1);
});

test('a reload carries its time', () => {
  const { sent, notifier: to } = notifier({ NOTIFY_SOCKET: '/run/n' });
  to.reloading();
  expect(sent[0]).toMatch(/^RELOADING=1\nMONOTONIC_USEC=\d+$/);
});

test('programs started from here do not speak in our name', () => {
  const pid = String(process.pid);
  const watchdog = { NOTIFY_SOCKET: '/run/n', WATCHDOG_USEC: '1000', WATCHDOG_PID: pid };
  const env = { ...watchdog, LISTEN_PID: pid, LISTEN_FDS: '1', LISTEN_FDNAMES: 'a' };
  takeManagerEnvironment(env);
  expect(env).toEqual({});
});

test('without a service manager nothing is sent', () => {
  const { sent, notifier: to } = notifier({});
  to.ready('a');
  expect(sent).toEqual([]);
});

test('descriptors are handed over with their names, from 3 on', () => {
  const env = { LISTEN_PID: String(process.pid), LISTEN_FDS: '3', LISTEN_FDNAMES: 'stream-1:b' };
  expect(takeManagerEnvironment(env).descriptors).toEqual([
    { name: 'stream-1', fd: 3 },
    { name: 'b', fd: 4 },
    { name: '', fd: 5 },
  ]);
});

test.each([
  { LISTEN_PID: '1', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b' },
  { LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b' },
  { LISTEN_PID: String(process.pid), LISTEN_FDS: 'many' },
  { LISTEN_PID: String(process.pid), LISTEN_FDS: '-1' },
])('descriptors that are not for this process are none: %o', (env) => {
  expect(takeManagerEnvironment({ ...env }).descriptors).toEqual([]);
});

test('the watchdog is ours only if it names this process or none', () => {
  const usec = { NOTIFY_SOCKET: '/run/n', WATCHDOG_USEC: '30000000' };
  expect(notifier({ ...usec }).notifier.watchdogMs).toBe(30_000);
  expect(notifier({ ...usec, WATCHDOG_PID: '1' }).notifier.watchdogMs).toBeUndefined();
});

interface Scene {
  beat: number;
  probe: () => Promise<unknown>;
}

function watchdog(scene: Scene) {
  const { sent, notifier: to } = notifier({ NOTIFY_SOCKET: '/run/n', WATCHDOG_USEC: '1000000' });
  const complaints: string[] = [];
  const dog = new Watchdog(to, {
    heartbeat: () => scene.beat,
    probeBus: () => scene.probe(),
    sick: (what) => void complaints.push(what),
  });
  return { sent, complaints, dog };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('the watchdog is fed when the link thread moved and the bus answered', async () => {
  const { sent, complaints, dog } = watchdog({ beat: 1, probe: () => Promise.resolve() });
  dog.check();
  await settle();
  expect(sent).toEqual(['WATCHDOG=1']);
  expect(complaints).toEqual([]);
});

test('a link thread that stands still starves the watchdog', async () => {
  const scene = { beat: 1, probe: () => Promise.resolve() };
  const { sent, complaints, dog } = watchdog(scene);
  dog.check();
  await settle();
  dog.check();
  await settle();
  expect(sent).toHaveLength(1);
  expect(complaints).toEqual(['the link thread does not turn']);
});

test('a bus that does not answer starves the watchdog', () => {
  const scene = { beat: 1, probe: () => new Promise(() => {}) };
  const { sent, complaints, dog } = watchdog(scene);
  dog.check();
  scene.beat = 2;
  dog.check();
  expect(sent).toEqual([]);
  expect(complaints).toEqual(['the bus does not answer']);
});
