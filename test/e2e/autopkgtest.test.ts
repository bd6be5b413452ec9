// SPDX-License-Identifier: Apache-2.0
// The tests that the packages bring along (debian/tests), run by autopkgtest itself in a machine that
// has nothing but what their own Depends ask for.

import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkout } from '../support/daemon-process.ts';
import { sharedMachine } from './support/fixture.ts';
import { packageFile } from './support/installed.ts';
import { Machine } from './support/machine.ts';
import { surroundings } from './support/surroundings.ts';

const machine = sharedMachine(() => Machine.boot());

/** What autopkgtest wants of a source package whose binary packages it is given. */
function sourceTree(): string {
  const tree = join(surroundings().scratch, 'autopkgtest');
  cpSync(join(checkout, 'packaging/debian/tests'), join(tree, 'debian/tests'), { recursive: true });
  return tree;
}

test('autopkgtest installs the packages and their tests pass', async () => {
  // What it leaves behind when it is killed goes with this, here as there.
  const TMPDIR = surroundings().scratch;
  await machine().must(['install', '-d', '-m', '1777', TMPDIR]);
  const packages = [packageFile('rpmsgd'), packageFile('rpmsgd-simulator')];
  // It sees a changed root here; that this is a machine, which may be spoilt, it cannot know.
  const trusted = '--ignore-restrictions=isolation-machine,breaks-testbed';
  const words = [trusted, ...packages, sourceTree(), '--', 'chroot', machine().path('/')];
  const { status, stdout, stderr } = spawnSync(
    'nsenter',
    [...machine().namespaces, 'autopkgtest', '--no-built-binaries', ...words],
    {
      encoding: 'utf8',
      timeout: 80_000,
      env: { ...process.env, TMPDIR },
    },
  );
  const said = `${stdout}${stderr}`;
  expect({ status, said }).toEqual({ status: 0, said: expect.stringMatching(/simulator +PASS/) });
});
