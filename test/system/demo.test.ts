// SPDX-License-Identifier: Apache-2.0
// What a new user runs first: the demo, and a command beside a daemon.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Child } from '../../packaging/dev/child.mjs';
import { checkout, runProgram } from '../support/daemon-process.ts';

const demo = join(checkout, 'packaging/dev/demo.mjs');
const withDaemon = join(checkout, 'packaging/dev/with-daemon.mjs');

function run(...args: string[]) {
  return runProgram(process.execPath, [withDaemon, '--no-build', ...args]);
}

/** For temporary files: others have theirs elsewhere. Nothing may be left behind in it. */
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rpmsg-demo-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('the demo ends by itself and tells how many messages went each way', async () => {
  const { status, stdout } = await runProgram('env', [
    `TMPDIR=${folder}`,
    ...[process.execPath, demo, '--no-build', '--for', '2'],
  ]);
  expect(status).toBe(0);
  expect(stdout).toMatch(/"hello world!" 0 2 \.\.\. 102 "goodbye!"/);
  const totals = /^(\d+) messages \(\d+ bytes\) went to the M core, (\d+) messages/m.exec(stdout);
  const [sent, received] = [Number(totals?.[1]), Number(totals?.[2])];
  expect(received).toBeGreaterThan(100);
  // Each dialogue ends with a goodbye that nobody answers.
  const dialogues = stdout.split('"goodbye!"').length - 1;
  expect(sent - received).toBe(dialogues);
  expect(readdirSync(folder)).toEqual([]);
});

test('Ctrl-C ends the demo with exit status 0', async () => {
  const child = new Child('demo', process.execPath, [demo, '--no-build']);
  await child.said(/goodbye/, 20_000);
  expect(await child.stop('SIGINT')).toEqual({ code: 0, signal: null });
  expect(child.output).toMatch(/messages .* went to the M core/);
});

test('a command beside the daemon sees every channel, and its status is passed on', async () => {
  const script = 'busctl --system --list tree org.rpmsg | grep -c /channel_; exit 7';
  const { status, stdout, stderr } = await run('--', 'sh', '-c', script);
  expect({ status, stdout, stderr }).toEqual({ status: 7, stdout: '12\n', stderr: '' });
});

test('a command beside the daemon has the firmware that it asks for', async () => {
  const rpmsgctl = `${checkout}dist/rpmsgctl.js`;
  const args = ['--firmware', '--nxp', process.execPath, rpmsgctl, 'nxp', 'gpio', 'get', '3', '4'];
  expect(await run(...args)).toEqual({ status: 0, stdout: '0\n', stderr: '' });
});

test('a command beside the daemon can reset the simulated M core', async () => {
  const rpmsgctl = `'${process.execPath}' '${checkout}dist/rpmsgctl.js'`;
  const script = `${rpmsgctl} sim reset cm40 && ${rpmsgctl} sim status`;
  const { status, stdout, stderr } = await run('--', 'sh', '-c', script);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^cm40 {2}.*, last reset sw$/m);
});

test('a command that is not there is status 127', async () => {
  expect((await run('/nonexistent/command')).status).toBe(127);
});

test('without a command the usage is shown', async () => {
  const { status, stderr } = await run();
  expect(status).toBe(1);
  expect(stderr).toContain('COMMAND is missing');
});

test('Ctrl-C is for the command, and nothing is left behind', async () => {
  const script = 'trap "echo interrupted; exit 5" INT; echo running; while :; do sleep 0.1; done';
  const args = [withDaemon, '--no-build', '--', 'bash', '-c', script];
  const child = new Child('with-daemon', process.execPath, args, { env: { TMPDIR: folder } });
  await child.said(/^running$/m, 20_000);
  // A terminal signals every process of the group in front.
  process.kill(-(child.pid ?? 0), 'SIGINT');
  expect(await child.exited).toEqual({ code: 5, signal: null });
  expect(child.output).toContain('interrupted');
  expect(readdirSync(folder)).toEqual([]);
});

test('SIGTERM while starting leaves nothing behind', async () => {
  const env = { TMPDIR: folder };
  const child = new Child('demo', process.execPath, [demo, '--no-build'], { env });
  await child.said(/^== demo:/m);
  expect((await child.stop()).code).not.toBeNull();
  expect(readdirSync(folder)).toEqual([]);
});
