// SPDX-License-Identifier: Apache-2.0
// The log level, as systemctl reads and sets it.

import { expect, it } from 'vitest';
import type { MethodCall } from '../../src/dbus/index.ts';
import { logControlInterface } from '../../src/dbus/objects/log-control.ts';

const root = ':1.1';
const user = ':1.2';

function setUp() {
  const log = { level: 'info' };
  const credentials = async (sender: string) => ({
    uid: sender === root ? 0 : 1000,
    gids: [1000],
  });
  const target = { log, target: 'journal' as const, clients: { credentials } };
  const get = (name: string) => logControlInterface.properties.get(name)?.get?.(target);
  const set = async (name: string, value: string, sender = root) => {
    const property = logControlInterface.properties.get(name);
    await property?.set?.(target, value as never, { sender } as MethodCall as never);
  };
  return { log, get, set };
}

it('says the level by its name in syslog', () => {
  const { log, get } = setUp();
  const names = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'].map((level) => {
    log.level = level;
    return get('LogLevel');
  });
  expect(names).toEqual(['crit', 'err', 'warning', 'info', 'debug', 'debug']);
});

it('takes every level of syslog from root', async () => {
  const { log, set } = setUp();
  const all = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];
  const ours: string[] = [];
  for (const level of all) {
    await set('LogLevel', level);
    ours.push(log.level);
  }
  expect(ours).toEqual(['fatal', 'fatal', 'fatal', 'error', 'warn', 'info', 'info', 'debug']);
});

it('lets nobody but root change anything', async () => {
  const { log, set } = setUp();
  await expect(set('LogLevel', 'debug', user)).rejects.toMatchObject({
    name: 'org.freedesktop.DBus.Error.AccessDenied',
  });
  await expect(set('LogTarget', 'journal', user)).rejects.toMatchObject({
    name: 'org.freedesktop.DBus.Error.AccessDenied',
  });
  expect(log.level).toBe('info');
});

it('refuses a level that is none, and names those that are', async () => {
  await expect(setUp().set('LogLevel', 'loud')).rejects.toThrow(/"loud" must be one of crit, /);
});

it('keeps the target', async () => {
  const { get, set } = setUp();
  await set('LogTarget', 'journal');
  await expect(set('LogTarget', 'console')).rejects.toMatchObject({
    name: 'org.freedesktop.DBus.Error.NotSupported',
  });
  expect([get('LogTarget'), get('SyslogIdentifier')]).toEqual(['journal', 'rpmsgd']);
});
