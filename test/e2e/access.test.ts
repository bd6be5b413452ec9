// SPDX-License-Identifier: Apache-2.0
// Who may do what on the real system bus, under the policy that the package installs.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkout } from '../support/daemon-process.ts';
import { stable, transcript } from '../support/transcript.ts';
import { sharedMachine } from './support/fixture.ts';
import { echo, echoBytes, simulatedMachine, users, waitForEcho } from './support/installed.ts';
import type { BusDaemon } from './support/machine.ts';
import { surroundings } from './support/surroundings.ts';
import { until } from './support/until.ts';

const device = '/org/rpmsg/cm40/vdev0';
const accessDenied = /Access denied|rejected send message|not allowed|Sender is not authorized/i;

describe.each(['dbus-daemon', 'dbus-broker'] satisfies BusDaemon[])('beside %s', (bus) => {
  const machine = sharedMachine(() => simulatedMachine(bus));

  function call(user: string, ...words: string[]) {
    return machine().exec(['busctl', 'call', 'org.rpmsg', ...words], { user });
  }

  test('a member of group rpmsg sends and receives', async () => {
    expect(await echoBytes(machine(), [1, 2, 3])).toEqual([1, 2, 3]);
  });

  test('the bus refuses Send to a user outside the groups', async () => {
    const result = await call(users.outsider, echo, 'org.rpmsg.Endpoint', 'Send', 'ay', '1', '7');
    expect(result.status).not.toBe(0);
    expect(result.stderr).toMatch(accessDenied);
  });

  test('a member acquires a stream; the bus refuses it to a user outside the groups', async () => {
    const acquire = [echo, 'org.rpmsg.Endpoint', 'AcquireStream', 'a{sv}', '0'];
    const refused = await call(users.outsider, ...acquire);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toMatch(accessDenied);
    const given = await call(users.member, ...acquire);
    expect(given).toMatchObject({ status: 0, stdout: expect.stringMatching(/^hq \d+ 496$/m) });
    // Its socket went with busctl: others may use the endpoint again.
    const streaming = ['get-property', 'org.rpmsg', echo, 'org.rpmsg.Endpoint', 'Streaming'];
    const isOver = async () => (await machine().must(['busctl', ...streaming])) === 'b false\n';
    await until('the stream is over', isOver);
  });

  test('everyone may look: introspection, properties, managed objects', async () => {
    const user = users.outsider;
    const look = [
      ['busctl', 'introspect', 'org.rpmsg', echo],
      ['busctl', 'get-property', 'org.rpmsg', '/org/rpmsg/cm40', 'org.rpmsg.Remote', 'State'],
      ['busctl', 'tree', 'org.rpmsg'],
      ['rpmsgctl', 'list'],
    ];
    for (const argv of look) {
      expect(await machine().exec(argv, { user })).toMatchObject({ status: 0, stderr: '' });
    }
  });

  test.each([users.member, users.outsider, users.admin, 'root'])(
    '%s cannot own the name org.rpmsg',
    async (user) => {
      await machine().must(['systemctl', 'stop', 'rpmsgd']);
      const request = ['RequestName', 'su', 'org.rpmsg', '4'];
      const driver = ['org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus'];
      const result = await machine().exec(['busctl', 'call', ...driver, ...request], { user });
      await machine().must(['systemctl', 'start', 'rpmsgd']);
      expect(result.status).not.toBe(0);
      expect(result.stderr).toMatch(/not allowed to own|denied|refused|not authorized/i);
    },
  );

  const privileged: readonly (readonly [string, ...string[]])[] = [
    ['Reload', '/org/rpmsg', 'org.rpmsg.Manager', 'Reload'],
    ['Capture', '/org/rpmsg', 'org.rpmsg.Manager', 'Capture', 'a{sv}', '0'],
    [
      'CreateEndpoint with persistent',
      ...[device, 'org.rpmsg.Device', 'CreateEndpoint', 'suua{sv}', 'kept', '4294967295', '30'],
      ...['1', 'persistent', 'b', 'true'],
    ],
  ];

  test.each(privileged)('%s is for group rpmsg-admin and root alone', async (_, ...words) => {
    for (const user of [users.outsider, users.member]) {
      const refused = await call(user, ...words);
      expect({ user, status: refused.status }).toEqual({ user, status: 1 });
      expect(refused.stderr).toMatch(user === users.member ? /rpmsg-admin|denied/ : accessDenied);
    }
    for (const user of [users.admin, 'root']) {
      expect(await call(user, ...words)).toMatchObject({ status: 0, stderr: '' });
    }
  });

  test('the daemon may ping its subscribers: signals flow beyond the first window', async () => {
    await waitForEcho(machine());
    const program = readFileSync(join(surroundings().helpers, 'subscriber'));
    machine().write('/usr/local/bin/subscriber', program, 0o755);
    // 64 messages are the default window: the rest comes only if pings are answered and counted.
    const received = await machine().must(['subscriber', echo, '200'], { user: users.member });
    expect(received.trim()).toBe('200');
  });
});

describe('the README', () => {
  const machine = sharedMachine(() => simulatedMachine());
  const steps = transcript(readFileSync(join(checkout, 'README.md'), 'utf8'));

  test('says on the system bus what it says', async () => {
    const mark = '=== next ===';
    // The README speaks of a checkout; installed, the program has its name.
    const commands = steps.map(({ command }) => command.replace(/\bnode dist\/(\S+)\.js/g, '$1'));
    const script = commands.map((command) => `${command}\necho '${mark}'\n`).join('');
    const outputs = (await machine().shell(script, { user: users.member })).split(`${mark}\n`);
    const show = (command: string, output = '') => `$ ${command}\n${stable(output)}`;
    expect(commands.map((command, index) => show(command, outputs[index]))).toEqual(
      steps.map(({ output }, index) => show(commands[index] ?? '', output)),
    );
  });
});
