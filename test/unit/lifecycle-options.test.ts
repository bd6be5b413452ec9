// SPDX-License-Identifier: Apache-2.0
// The daemon's command line, its runtime directory, its status line.

import { expect, test } from 'vitest';
import { ExitStatus, FatalError } from '../../src/daemon/exit.ts';
import { helpText, parseOptions } from '../../src/daemon/options.ts';
import { chooseRuntimeDir } from '../../src/daemon/runtime-dir.ts';
import { noRemoteAdvice, StatusBoard } from '../../src/daemon/status.ts';

function failure(work: () => unknown): FatalError {
  try {
    work();
  } catch (error) {
    if (error instanceof FatalError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('without options the daemon runs on the system bus', () => {
  expect(parseOptions([])).toMatchObject({ action: 'run', bus: 'system', logFormat: 'auto' });
});

test('an unknown option and a wrong word are wrong usage, and named', () => {
  const unknown = failure(() => parseOptions(['--colour']));
  expect(unknown.status).toBe(ExitStatus.usage);
  expect(unknown.message).toContain("'--colour'");
  expect(failure(() => parseOptions(['--log-level', 'loud'])).message).toBe(
    '--log-level loud must be one of trace, debug, info, warn, error, fatal',
  );
});

test('the help names every option', () => {
  const options = ['config', 'bus', 'runtime-dir', 'log-level', 'log-format', 'print-config'];
  for (const option of [...options, 'version', 'help']) expect(helpText).toContain(`--${option}`);
});

test("the runtime directory is what is said, else the service manager's, else the user's", () => {
  const env = { RUNTIME_DIRECTORY: '/run/a:/run/b', XDG_RUNTIME_DIR: '/run/user/7' };
  expect(chooseRuntimeDir('/tmp/x', env, 0)).toBe('/tmp/x');
  expect(chooseRuntimeDir(undefined, env, 7)).toBe('/run/a');
  expect(chooseRuntimeDir(undefined, {}, 0)).toBe('/run/rpmsg');
  expect(chooseRuntimeDir(undefined, { XDG_RUNTIME_DIR: '/run/user/7' }, 7)).toBe(
    '/run/user/7/rpmsg',
  );
  expect(failure(() => chooseRuntimeDir(undefined, {}, 7)).message).toContain('--runtime-dir');
});

test('the status line follows states and counts vdevs', () => {
  const lines: string[] = [];
  const board = new StatusBoard([{ name: 'cm40', vdevs: 2 }], (text) => lines.push(text));
  expect(board.text).toBe('cm40 offline (0 of 2 vdevs up)');
  board.remoteState(0, 'attached', 1);
  board.deviceState(0, 1, 'up');
  board.deviceState(0, 0, 'faulted');
  expect(lines.at(-1)).toBe('cm40 attached (1 of 2 vdevs up, 1 faulted)');
});

test('without a remote the status says what to do', () => {
  expect(new StatusBoard([], () => {}).text).toBe(noRemoteAdvice);
});
