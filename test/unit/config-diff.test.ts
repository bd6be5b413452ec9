// SPDX-License-Identifier: Apache-2.0
// What a reload may change, and what it refuses naming the key.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { diffConfig } from '../../src/config/diff.ts';
import { loadConfig } from '../../src/config/load.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rpmsgd-config-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const base = '[[remote]]\nname = "cm40"\nplatform = "sim"\nsoc = "imx8qxp"\nvdevs = 2\n';

function difference(before: string, after: string) {
  const file = join(root, 'a.toml');
  writeFileSync(file, before);
  const first = loadConfig({ file });
  writeFileSync(file, after);
  return diffConfig(first, loadConfig({ file }));
}

test('the same configuration changes nothing', () => {
  expect(difference(base, base)).toEqual({ applied: [], refused: [] });
});

test('limits, log level, channels and static endpoints may change', () => {
  const endpoint = '[[remote.endpoint]]\nvdev = 0\nname = "x"\nsrc = 30\n';
  const after = `${base}${endpoint}[[channel]]\nname = "tty"\n[limits]\nwindow = 8\n[log]\nlevel = "debug"\n`;
  expect(difference(base, after)).toEqual({
    applied: ['limits.window', 'log.level', 'channel', 'remote "cm40".endpoint'],
    refused: [],
  });
});

test('a region that changed is refused with key and both addresses', () => {
  const { refused } = difference(base, `${base}vrings = { base = 0x90010000 }\n`);
  expect(refused).toEqual([
    'remote "cm40".vrings.base cannot change from 0x90000000 to 0x90010000 while the daemon runs; restart it',
  ]);
});

test('a remote can be neither added nor removed', () => {
  const other = base.replace('cm40', 'motor');
  expect(difference(base, other).refused).toEqual([
    'remote "cm40" cannot be removed while the daemon runs; restart it',
    'remote "motor" cannot be added while the daemon runs; restart it',
  ]);
});

test('what concerns the link thread is refused', () => {
  expect(difference(base, `${base}[link]\nbusy_poll_us = 5\n`).refused).toEqual([
    'link.busy_poll_us cannot change from 0 to 5 while the daemon runs; restart it',
  ]);
});
