// SPDX-License-Identifier: Apache-2.0
// rpmsgctl's command line without a bus: usage, help, exit statuses.

import { expect, test } from 'vitest';
import { CliStatus, explain } from '../../src/cli/errors.ts';
import { verbs } from '../../src/cli/verbs.ts';
import { BusError } from '../../src/dbus/index.ts';
import { runRpmsgctl as run } from '../support/rpmsgctl-run.ts';

test('the help names every verb', async () => {
  const { status, out } = await run('--help');
  expect(status).toBe(CliStatus.ok);
  const shown = verbs.filter(({ isHidden }) => isHidden !== true);
  for (const { name, summary } of shown) {
    expect(out).toMatch(new RegExp(`^  ${name} +${summary.replaceAll(/[()]/g, '\\$&')}$`, 'm'));
  }
});

test('each verb has a help that names the methods it calls', async () => {
  for (const verb of verbs) {
    const { status, out } = await run(verb.name, '--help');
    expect(status).toBe(CliStatus.ok);
    expect(out).toContain(`Usage: rpmsgctl [options] ${verb.name}`);
    for (const call of verb.calls) expect(out).toContain(call);
  }
});

test('no verb, an unknown verb, an unknown option and a stray argument are wrong usage', async () => {
  expect(await run()).toMatchObject({ status: CliStatus.usage });
  expect((await run('lsit')).err).toBe('rpmsgctl: there is no verb "lsit"; did you mean list?\n');
  expect((await run('list', '--colour')).err).toContain("'--colour'");
  expect((await run('list', 'cm40')).status).toBe(CliStatus.usage);
});

test('with --json an error is an object on standard error, wherever it is found', async () => {
  const { status, err } = await run('list', '--json', '--colour');
  expect(JSON.parse(err)).toEqual({ error: expect.stringContaining('--colour'), status });
  expect(status).toBe(CliStatus.usage);
});

test('what is told on standard error cannot command a terminal', async () => {
  const { err } = await run('send', 'x', 'u8:\u009b31m', '--bus', 'unix:path=/nonexistent/bus');
  expect(err).toBe('rpmsgctl: "u8:\\u009b31m" is no number from 0 to 255\n');
});

test('--host and --bus exclude each other, and --host is a host', async () => {
  const both = await run('list', '--host', 'board', '--bus', 'session');
  expect(both).toMatchObject({ status: CliStatus.usage });
  expect(both.err).toContain('--host and --bus exclude each other');
  for (const host of ['-oProxyCommand=x', 'a b', 'root@', ':22', '']) {
    const { status, err } = await run('list', `--host=${host}`);
    expect(status).toBe(CliStatus.usage);
    expect(err).toContain('--host is [USER@]HOST[:PORT], not ');
  }
});

test('a bus that is not there is unavailable and named', async () => {
  const { status, err } = await run('list', '--bus', 'unix:path=/nonexistent/bus');
  expect(status).toBe(CliStatus.unavailable);
  expect(err).toContain('/nonexistent/bus');
});

test('the version of this program needs no bus', async () => {
  const { status, out } = await run('version', '--bus', 'unix:path=/nonexistent/bus', '--json');
  expect(status).toBe(CliStatus.ok);
  expect(JSON.parse(out)).toEqual({ rpmsgctl: expect.stringMatching(/^\d+\.\d+/), rpmsgd: null });
});

test('errors of bus and daemon have statuses of their own', () => {
  const named = (name: string) => explain(new BusError(name, 'text')).status;
  expect(named('org.freedesktop.DBus.Error.ServiceUnknown')).toBe(CliStatus.unavailable);
  expect(named('org.freedesktop.DBus.Error.AccessDenied')).toBe(CliStatus.noPermission);
  expect(named('org.rpmsg.Error.Busy')).toBe(CliStatus.failure);
  expect(named('org.rpmsg.Error.TimedOut')).toBe(CliStatus.timedOut);
});
