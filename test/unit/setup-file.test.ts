// SPDX-License-Identifier: Apache-2.0
// When the setup that a daemon left is good for the next one's first act, and when it is not.

import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RemoteSetup } from '../../src/addon/types.ts';
import { configOrigins } from '../../src/config/index.ts';
import { originOf, readSetup, type Setup, writeSetup } from '../../src/start/setup-file.ts';
import { testConfig } from './support/objects-harness.ts';

const args = ['--config', 'a'];
const remotes: RemoteSetup[] = testConfig().remotes.map(({ setup }) => ({
  ...setup,
  stateFile: '/run/rpmsg/cm40.state',
}));
const setup: Setup = { thread: { realtimePriority: 0, busyPollUs: 0 }, remotes };
let directory: string;
let folders: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rpmsgd-setup-'));
  folders = ['lib', 'etc'].map((name) => join(directory, name));
  for (const folder of folders) mkdirSync(join(folder, 'rpmsgd.toml.d'), { recursive: true });
  writeFileSync(join(directory, 'etc/rpmsgd.toml'), '');
  writeFileSync(join(directory, 'lib/rpmsgd.toml.d/a.toml'), '');
  const origin = originOf(args, configOrigins({ directories: folders }));
  expect(writeSetup(directory, origin, setup)).toBe(true);
});
afterEach(() => rmSync(directory, { recursive: true }));

it('is read as it was written', () => {
  expect(readSetup(directory, args)).toEqual(setup);
});

it('is not for a daemon with other arguments', () => {
  expect(readSetup(directory, ['--config', 'b'])).toBeUndefined();
  expect(readSetup(directory, [...args, '--print-config'])).toBeUndefined();
});

it.each([
  ['a file changes', () => appendFileSync(join(directory, 'etc/rpmsgd.toml'), '#')],
  ['a drop-in changes', () => appendFileSync(join(directory, 'lib/rpmsgd.toml.d/a.toml'), '#')],
  ['a drop-in comes', () => writeFileSync(join(directory, 'etc/rpmsgd.toml.d/b.toml'), '')],
  ['a file goes', () => rmSync(join(directory, 'etc/rpmsgd.toml'))],
  ['a file comes that hides another', () => writeFileSync(join(directory, 'lib/rpmsgd.toml'), '')],
  ['it is no JSON', () => writeFileSync(join(directory, 'setup.json'), '{')],
  ['it is other JSON', () => writeFileSync(join(directory, 'setup.json'), '{}')],
  ['others may write it', () => chmodSync(join(directory, 'setup.json'), 0o666)],
  ['it is gone', () => rmSync(join(directory, 'setup.json'))],
])('does not count once %s', (_, change) => {
  change();
  expect(readSetup(directory, args)).toBeUndefined();
});

it('does not count without a remote: there is nobody to wait', () => {
  writeSetup(directory, originOf(args, []), { ...setup, remotes: [] });
  expect(readSetup(directory, args)).toBeUndefined();
});
