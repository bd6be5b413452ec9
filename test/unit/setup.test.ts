// SPDX-License-Identifier: Apache-2.0
// What the set-up script says to someone who may not install packages, or not with apt.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../packaging/dev/setup.mjs', import.meta.url));

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rpmsgd-setup-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Runs the script as somebody who is not root, on a machine that has only the programs in `folder`. */
function setupAsUser(purpose: string) {
  const user = join(folder, 'user.cjs');
  writeFileSync(user, 'process.getuid = () => 1000;\n');
  const env = { PATH: folder, NODE_OPTIONS: `--require=${user}` };
  return spawnSync(process.execPath, [script, purpose], { env, encoding: 'utf8' });
}

function pretendInstalled(...packages: string[]): void {
  const lines = packages.map((name) => `echo '${name} installed'`);
  const text = `#!/bin/sh\n${lines.join('\n')}\nexit 1\n`;
  writeFileSync(join(folder, 'dpkg-query'), text, { mode: 0o755 });
}

it('gives someone who is not root the apt-get line of what is missing, and exit status 1', () => {
  pretendInstalled('g++', 'ninja-build', 'dbus-daemon');
  const { status, stderr } = setupAsUser('demo');
  expect(stderr).toBe(
    'Packages are missing. As root, run:\n' +
      '  apt-get install --no-install-recommends cmake systemd\n',
  );
  expect(status).toBe(1);
});

it('names tools and packages where there is no dpkg', () => {
  const { status, stderr } = setupAsUser('build');
  expect(stderr).toContain('This machine has no dpkg. For "build" it lacks:');
  expect(stderr).toContain("  cmake (in Debian's package cmake)");
  expect(status).toBe(1);
});

it('refuses a purpose it does not know and lists those it knows', () => {
  pretendInstalled();
  const { status, stderr } = setupAsUser('demos');
  expect(stderr).toContain('no purpose "demos": it is one of build, demo, bench, test');
  expect(status).toBe(1);
});
