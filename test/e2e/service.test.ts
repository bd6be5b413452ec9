// SPDX-License-Identifier: Apache-2.0
// The service under systemd: what it tells, what restarts it, what activates it, what it reloads.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sharedMachine } from './support/fixture.ts';
import { echoBytes, simulatedMachine, users, waitForEcho } from './support/installed.ts';
import type { Machine } from './support/machine.ts';
import { surroundings } from './support/surroundings.ts';
import { until } from './support/until.ts';

const machine = sharedMachine(() => simulatedMachine());

async function mainPid(): Promise<string> {
  return (await machine().unit('rpmsgd'))['MainPID'] ?? '';
}

/** Waits until another process than `before` runs the service, with the remote that there was. */
async function expectNewLife(before: string, deadlineS = 20): Promise<void> {
  await machine().waitForUnit('rpmsgd', { SubState: 'running' }, deadlineS);
  await waitForEcho(machine());
  expect(await echoBytes(machine(), [9, 8, 7])).toEqual([9, 8, 7]);
  expect(await mainPid()).not.toBe(before);
}

describe('what it tells', () => {
  test('systemctl status names each remote, its state and its vdevs', async () => {
    const status = await machine().must(['systemctl', 'status', 'rpmsgd']);
    expect(status).toMatch(/Status: "cm40 attached \(2 of 2 vdevs up\)"/);
  });

  test('nobody but the daemon itself tells it, not even a program of its own', async () => {
    await machine().shell(`
      echo $$ >/sys/fs/cgroup/system.slice/rpmsgd.service/cgroup.procs
      NOTIFY_SOCKET=/run/systemd/notify systemd-notify --status=invented`);
    const refused = async () => {
      const entries = await machine().journal('-t', 'systemd', 'UNIT=rpmsgd.service');
      return entries.some(({ MESSAGE: text = '' }) => text.includes('only permitted for main PID'));
    };
    await until('systemd has refused the notification', refused);
    const { StatusText } = await machine().unit('rpmsgd');
    expect(StatusText).toMatch(/^cm40 attached/);
  });

  test('the journal has priorities: ordinary words are info, none is an error', async () => {
    const entries = await machine().journal('-t', 'rpmsgd');
    const named = entries.find((entry) => /on the bus/.test(entry['MESSAGE'] ?? ''));
    expect(named?.['PRIORITY']).toBe('6');
    const urgent = entries.filter((entry) => Number(entry['PRIORITY']) <= 3);
    expect(urgent.map((entry) => entry['MESSAGE'])).toEqual([]);
  });

  test('what concerns a remote or a vdev is found by RPMSG_REMOTE and RPMSG_VDEV', async () => {
    const ofRemote = await machine().journal('--unit=rpmsgd', 'RPMSG_REMOTE=cm40');
    expect(ofRemote.length).toBeGreaterThan(0);
    // A vdev that comes up is worth a word at debug level only.
    await machine().must(['systemctl', 'service-log-level', 'rpmsgd', 'debug']);
    await machine().must(['pkill', '-KILL', '-x', 'rpmsg-firmware']);
    const ofVdev = () => machine().journal('RPMSG_REMOTE=cm40', 'RPMSG_VDEV=1');
    await until('a vdev is in the journal', async () => (await ofVdev()).length > 0);
    await machine().must(['systemctl', 'service-log-level', 'rpmsgd', 'info']);
    const ofDevice = await ofVdev();
    await machine().waitForUnit('rpmsgd', { StatusText: 'cm40 attached (2 of 2 vdevs up)' });
    await waitForEcho(machine());
    expect(ofDevice.every((entry) => entry['_SYSTEMD_UNIT'] === 'rpmsgd.service')).toBe(true);
  });

  test('each MESSAGE_ID that it logs is explained in the catalog', async () => {
    const entries = await machine().journal('-t', 'rpmsgd');
    const ids = new Set(entries.flatMap((entry) => entry['MESSAGE_ID'] ?? []));
    expect(ids.size).toBeGreaterThan(0);
    for (const id of ids) {
      const explained = await machine().must(['journalctl', '--dump-catalog', id]);
      expect(explained).toMatch(/^Subject: \S/m);
    }
  });

  test('systemctl service-log-level shows and changes the level', async () => {
    const level = ['systemctl', 'service-log-level', 'rpmsgd'];
    expect((await machine().must(level)).trim()).toBe('info');
    await machine().must([...level, 'debug']);
    expect((await machine().must(level)).trim()).toBe('debug');
    await machine().must([...level, 'info']);
  });
});

/** Stops one thread of the service from outside, until the machine's watchdog ends the process. */
async function stopThread(thread: 'main' | 'link'): Promise<void> {
  const helper = readFileSync(join(surroundings().helpers, 'stop-thread'));
  machine().write('/run/stop-thread', helper, 0o755);
  const tracer = machine().start(['/run/stop-thread', await mainPid(), thread]);
  await new Promise<void>((resolve, reject) => {
    tracer.stdout?.once('data', () => resolve());
    tracer.once('exit', (code) => reject(new Error(`stop-thread ended with ${code}`)));
  });
}

describe('what restarts it', () => {
  test.each(['main', 'link'] as const)(
    'the watchdog ends and restarts it when its %s thread stands still',
    async (thread) => {
      await dropIn(machine(), 'watchdog', '[Service]\nWatchdogSec=2s\n');
      await machine().must(['systemctl', 'restart', 'rpmsgd']);
      const before = await mainPid();
      const { NRestarts } = await machine().unit('rpmsgd');
      await stopThread(thread);
      await machine().waitForUnit('rpmsgd', { NRestarts: String(Number(NRestarts) + 1) }, 30);
      await expectNewLife(before);
      const told = await machine().journal('-t', 'systemd', 'UNIT=rpmsgd.service');
      const messages = told.map((entry) => entry['MESSAGE'] ?? '').join('\n');
      expect(messages).toMatch(/Watchdog timeout/);
      await dropIn(machine(), 'watchdog', '');
    },
  );

  test.each(['KILL', 'SEGV', 'ABRT'])('SIG%s is followed by a new life at once', async (signal) => {
    const before = await mainPid();
    const { NRestarts } = await machine().unit('rpmsgd');
    await machine().must(['systemctl', 'kill', `--signal=${signal}`, '--kill-whom=main', 'rpmsgd']);
    await machine().waitForUnit('rpmsgd', { NRestarts: String(Number(NRestarts) + 1) });
    await expectNewLife(before);
  });

  test('systemctl restart comes back to a working service', async () => {
    const before = await mainPid();
    await machine().must(['systemctl', 'restart', 'rpmsgd']);
    await expectNewLife(before);
  });

  test('stop ends it well within its time, and start brings it back', async () => {
    const before = await mainPid();
    await machine().must(['systemctl', 'stop', 'rpmsgd']);
    expect(await machine().unit('rpmsgd')).toMatchObject({
      ActiveState: 'inactive',
      Result: 'success',
      ExecMainStatus: '0',
    });
    await machine().must(['systemctl', 'start', 'rpmsgd']);
    await expectNewLife(before);
  });

  test('a new simulated board is followed by a new life', async () => {
    const before = await mainPid();
    await machine().must(['systemctl', 'restart', 'rpmsg-simulator']);
    await waitForEcho(machine());
    expect(await echoBytes(machine(), [1])).toEqual([1]);
    expect(await mainPid()).not.toBe(before);
  });

  test('a simulated board that crashed comes back with a daemon', async () => {
    await machine().must(['systemctl', 'kill', '--signal=KILL', 'rpmsg-simulator']);
    await machine().waitForUnit('rpmsg-simulator', { NRestarts: '1', ActiveState: 'active' });
    await machine().waitForUnit('rpmsgd', { ActiveState: 'active' });
    await waitForEcho(machine());
    expect(await echoBytes(machine(), [2])).toEqual([2]);
  });

  test('the daemon stops in order before its simulated board does, and starts with it', async () => {
    await machine().must(['systemctl', 'stop', 'rpmsg-simulator']);
    expect(await machine().unit('rpmsgd')).toMatchObject({
      ActiveState: 'inactive',
      Result: 'success',
    });
    await machine().must(['systemctl', 'start', 'rpmsg-simulator']);
    await waitForEcho(machine());
  });

  test('with the drop-in hidden it sees the board go, is not tried again, and starts with a new one', async () => {
    const hidden = '/etc/systemd/system/rpmsgd.service.d/simulator.conf';
    await machine().shell(`
      mkdir -p ${dirname(hidden)}
      ln -s /dev/null ${hidden}
      systemctl daemon-reload
      systemctl stop rpmsg-simulator`);
    await machine().waitForUnit('rpmsgd', { ActiveState: 'failed', ExecMainStatus: '69' });
    await machine().shell(`
      rm ${hidden}
      systemctl daemon-reload
      systemctl start rpmsg-simulator`);
    await waitForEcho(machine());
  });

  test('a wrong configuration at start is not tried again, and is told', async () => {
    machine().write('/etc/rpmsg/rpmsgd.toml.d/90-test.toml', '[limits]\nrx_queue = "many"\n');
    const { status } = await machine().exec(['systemctl', 'restart', 'rpmsgd']);
    expect(status).not.toBe(0);
    expect(await machine().unit('rpmsgd')).toMatchObject({
      ActiveState: 'failed',
      ExecMainStatus: '78',
      NRestarts: '0',
    });
    const errors = await machine().journal('-t', 'rpmsgd', '--priority=err');
    expect(errors.at(-1)?.['MESSAGE']).toContain('rx_queue');
    const { MESSAGE_ID: id = '' } = errors.at(-1) ?? {};
    expect(await machine().must(['journalctl', '--dump-catalog', id])).toContain('cannot start');
    await machine().shell(`
      rm /etc/rpmsg/rpmsgd.toml.d/90-test.toml
      systemctl reset-failed rpmsgd
      systemctl start rpmsgd`);
    await waitForEcho(machine());
  });
});

/** Sets or, with no text, removes a drop-in of the unit. */
async function dropIn(target: Machine, name: string, text: string): Promise<void> {
  const path = `/run/systemd/system/rpmsgd.service.d/${name}.conf`;
  if (text === '') await target.must(['rm', path]);
  else target.write(path, text);
  await target.must(['systemctl', 'daemon-reload']);
}

const getState = ['get-property', 'org.rpmsg', '/org/rpmsg', 'org.rpmsg.Manager', 'Version'];

describe('what activates it', () => {
  test('enabled and stopped, it is started by the first call', async () => {
    await machine().must(['systemctl', 'stop', 'rpmsgd']);
    await machine().must(['busctl', ...getState], { user: users.member });
    // It answers once it has its name; what else it starts comes after.
    await machine().waitForUnit('rpmsgd', { ActiveState: 'active' });
  });

  test('disabled and stopped, it stays stopped whoever calls', async () => {
    await machine().must(['systemctl', 'disable', '--quiet', '--now', 'rpmsgd']);
    for (const user of [users.member, 'root']) {
      const { status } = await machine().exec(['busctl', ...getState], { user });
      expect(status).not.toBe(0);
    }
    expect(await machine().unit('rpmsgd')).toMatchObject({ ActiveState: 'inactive' });
    await machine().must(['systemctl', 'enable', '--quiet', '--now', 'rpmsgd']);
    await waitForEcho(machine());
  });
});

describe('what it reloads', () => {
  const file = '/etc/rpmsg/rpmsgd.toml.d/90-test.toml';
  const limits = ['get-property', 'org.rpmsg', '/org/rpmsg', 'org.rpmsg.Manager', 'Limits'];

  test('a good file is applied without a restart', async () => {
    const before = await mainPid();
    machine().write(file, '[limits]\nsend_timeout_ms = 1234\n[log]\nlevel = "debug"\n');
    await machine().must(['systemctl', 'reload', 'rpmsgd']);
    expect(await machine().must(['busctl', ...limits])).toContain('"send_timeout_ms" 1234');
    expect(await mainPid()).toBe(before);
    expect(await echoBytes(machine(), [4, 5])).toEqual([4, 5]);
  });

  const bad: readonly (readonly [string, string, string])[] = [
    ['a value of a wrong kind', '[limits]\nsend_timeout_ms = "long"\n', 'send_timeout_ms'],
    ['a key that there is not', '[limits]\nsend_timeout = 1\n', 'send_timeout'],
    ['another number of vdevs', '[[remote]]\nname = "cm40"\nvdevs = 1\n', 'vdevs'],
    ['no TOML at all', '{]\n', '90-test.toml'],
  ];

  test.each(bad)('%s is refused whole, and told', async (_, text, word) => {
    const before = await mainPid();
    const old = await machine().must(['busctl', ...limits]);
    machine().write(file, text);
    const result = await machine().exec(['systemctl', 'reload', 'rpmsgd']);
    expect(result.status).not.toBe(0);
    const errors = await machine().journal('-t', 'rpmsgd', '--priority=err');
    expect(errors.at(-1)?.['MESSAGE']).toContain(word);
    expect(await machine().must(['busctl', ...limits])).toBe(old);
    expect(await machine().unit('rpmsgd')).toMatchObject({
      ActiveState: 'active',
      MainPID: before,
      StatusText: expect.stringContaining('cm40 attached'),
    });
    expect(await echoBytes(machine(), [6])).toEqual([6]);
  });
});

/** Last: the machine goes off in order. */
test('a shutdown of the machine ends it in order', async () => {
  await machine().shell('rm -f /etc/rpmsg/rpmsgd.toml.d/90-test.toml; systemctl reload rpmsgd');
  const path = machine().overlayPath('/var/log/journal');
  await machine().poweroff();
  const text = await readJournal(path);
  expect(text).toMatch(/rpmsgd\.service: Deactivated successfully/);
  expect(text).toMatch(/rpmsg-simulator\.service: Deactivated successfully/);
});

/** The journal of a machine that is off. */
function readJournal(directory: string): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn('journalctl', ['--directory', directory, '--quiet', '--no-pager']);
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    child.once('close', () => resolve(text));
  });
}
