// SPDX-License-Identifier: Apache-2.0
// The sandbox of rpmsgd.service: that the running daemon is in it, and what one can do from within.
// A second unit with every line of the real one, but another program, tries what must not work.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkout } from '../support/daemon-process.ts';
import { sharedMachine } from './support/fixture.ts';
import { echoBytes, simulatedMachine, waitForEcho } from './support/installed.ts';
import { StreamTraffic } from './support/stream-traffic.ts';

const machine = sharedMachine(() => simulatedMachine());

/** What the probe may change of the unit: its program, how it reports, and what names the original. */
function probeUnit(unit: string): string {
  const dropped = /^(ExecReload|BusName|WatchdogSec|Restart\w*|Alias|WantedBy|PartOf)=.*$/gm;
  return unit
    .replace(dropped, '')
    .replace(/^ExecStart=.*$/m, 'ExecStart=/usr/bin/node /usr/local/lib/sandbox-probe.cjs')
    .replace(/^Type=.*$/m, 'Type=oneshot');
}

interface Attempts {
  readonly [attempt: string]: string;
}

/** Runs the probe in the service's sandbox; each attempt's outcome is `done` or an error's code. */
async function probe(): Promise<Attempts> {
  const script = readFileSync(join(checkout, 'test/e2e/support/sandbox-probe.cjs'));
  machine().write('/usr/local/lib/sandbox-probe.cjs', script);
  const unit = machine().read('/lib/systemd/system/rpmsgd.service');
  machine().write('/run/systemd/system/sandbox-probe.service', probeUnit(unit));
  await machine().must(['systemctl', 'daemon-reload']);
  await machine().must(['systemctl', 'start', 'sandbox-probe']);
  const [entry] = await machine().journal('-t', 'node', '_SYSTEMD_UNIT=sandbox-probe.service');
  return JSON.parse(entry?.['MESSAGE'] ?? '{}') as Attempts;
}

test('the daemon has no privilege, cannot gain any, and system calls are filtered', async () => {
  const { MainPID } = await machine().unit('rpmsgd');
  const status = await machine().must(['cat', `/proc/${MainPID}/status`]);
  const fields = Object.fromEntries(status.split('\n').map((line) => line.split(/:\s*/, 2)));
  expect(fields).toMatchObject({
    CapEff: '0000000000000000',
    CapBnd: '0000000000000000',
    CapAmb: '0000000000000000',
    NoNewPrivs: '1',
    Seccomp: '2',
  });
  expect(fields['Uid']).not.toMatch(/\b0\b/);
});

test.each(['mnt', 'net', 'user', 'ipc'])(
  'the daemon has a %s namespace to itself',
  async (kind) => {
    const { MainPID } = await machine().unit('rpmsgd');
    const own = await machine().must(['readlink', `/proc/${MainPID}/ns/${kind}`]);
    expect(own).not.toBe(await machine().must(['readlink', `/proc/1/ns/${kind}`]));
  },
);

test('each attempt from within ends as the sandbox says', async () => {
  const attempts = await probe();
  expect(attempts).toEqual({
    'write /run/rpmsg': 'done',
    'write /var/lib/rpmsg': 'done',
    'write /tmp': 'done',
    'connect to the bus': 'done',
    // ConfigurationDirectory= leaves it writable to its owner, who is root.
    'write /etc/rpmsg': 'EACCES',
    'write /usr': 'EROFS',
    'write /var': 'EROFS',
    'write /run': expect.stringMatching(/^(EROFS|EACCES)$/),
    'write /home': expect.stringMatching(/^(EROFS|EACCES|ENOENT)$/),
    'write a sysctl': expect.stringMatching(/^(EROFS|EACCES|ENOENT)$/),
    'write a control group': expect.stringMatching(/^(EROFS|EACCES|ENOENT)$/),
    'read the shadow file': 'EACCES',
    'open the device that is not UIO': 'EPERM',
    'open kernel messages': expect.stringMatching(/^(EPERM|EACCES|ENOENT)$/),
    'see another process': 'ENOENT',
    'listen on TCP': 'EAFNOSUPPORT',
    'connect by TCP': 'EAFNOSUPPORT',
    'send UDP': 'EAFNOSUPPORT',
    'become root': 'EPERM',
    'run a set-user-ID program as root': expect.not.stringMatching(/^0$/),
    'make a set-user-ID file': 'EPERM',
    'make a user namespace': expect.not.stringMatching(/^0$/),
    'mount a file system': expect.not.stringMatching(/^0$/),
    'take a real-time priority': expect.not.stringMatching(/^0$/),
    'set the clock': expect.not.stringMatching(/^0$/),
    'set the host name': expect.not.stringMatching(/^0$/),
  });
});

test('what is allowed to root outside is what the sandbox refuses inside', async () => {
  // The control: the same probe outside, so that a refusal is the sandbox's and not the machine's.
  const output = await machine().must(['node', '/usr/local/lib/sandbox-probe.cjs']);
  const attempts = JSON.parse(output) as Attempts;
  const outside = [
    'write /etc/rpmsg',
    'write /usr',
    'write /var',
    'read the shadow file',
    'open the device that is not UIO',
    'see another process',
    'listen on TCP',
    'become root',
    'make a set-user-ID file',
  ];
  for (const attempt of outside)
    expect({ attempt, is: attempts[attempt] }).toEqual({ attempt, is: 'done' });
  expect(attempts['make a user namespace']).toBe('0');
});

test('systemd calls its exposure 0.6 at most', async () => {
  const security = ['systemd-analyze', 'security', '--no-pager', 'rpmsgd'];
  const text = await machine().must(security);
  const exposure = Number(/Overall exposure level for rpmsgd\.service: ([\d.]+)/.exec(text)?.[1]);
  expect(exposure).toBeLessThanOrEqual(0.6);
});

/** What the daemon has complained about so far; that it had no remote at first is true. */
async function complaints(): Promise<string[]> {
  const warnings = await machine().journal('-t', 'rpmsgd', '--priority=warning');
  const texts = warnings.map((entry) => entry['MESSAGE'] ?? '');
  return texts.filter((text) => !text.includes('no remote configured'));
}

test('messages go through in it, and it logs no refusal', async () => {
  expect(await echoBytes(machine(), [1, 2, 3, 4])).toEqual([1, 2, 3, 4]);
  expect(await complaints()).toEqual([]);
});

test('it makes no system call that the sandbox refuses, whatever streams and restarts it serves', async () => {
  // As it is, a refusal is an error like any other and shows nowhere; here it is the end of the process.
  const dropIn = '/run/systemd/system/rpmsgd.service.d/refusal.conf';
  machine().write(dropIn, '[Service]\nSystemCallErrorNumber=kill\n');
  await machine().must(['systemctl', 'daemon-reload']);
  await machine().must(['systemctl', 'restart', 'rpmsgd']);
  await waitForEcho(machine());
  const traffic = await StreamTraffic.start(machine());
  await machine().must(['systemctl', 'restart', 'rpmsgd']);
  await traffic.lives(2);
  expect(await traffic.finish()).toMatchObject({ gaps: [], missing: 0, ends: 0 });
  expect(await machine().unit('rpmsgd')).toMatchObject({ ActiveState: 'active', NRestarts: '0' });
  expect(await complaints()).toEqual([]);
  await machine().shell(`rm ${dropIn}; systemctl daemon-reload; systemctl restart rpmsgd`);
});

test('a real-time priority without its drop-in is refused once, and the drop-in is named', async () => {
  machine().write('/etc/rpmsg/rpmsgd.toml.d/60-test.toml', '[link]\nrealtime_priority = 10\n');
  const { status } = await machine().exec(['systemctl', 'restart', 'rpmsgd']);
  expect(status).not.toBe(0);
  expect(await machine().unit('rpmsgd')).toMatchObject({
    ActiveState: 'failed',
    ExecMainStatus: '78',
    NRestarts: '0',
  });
  const errors = await machine().journal('-t', 'rpmsgd', '--priority=err');
  const [, example = ''] = /see (\/\S+)/.exec(errors.at(-1)?.['MESSAGE'] ?? '') ?? [];
  expect(machine().read(example)).toContain('LimitRTPRIO=');
});
