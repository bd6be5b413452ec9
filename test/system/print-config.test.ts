// SPDX-License-Identifier: Apache-2.0
// The program prints what files and device tree amount to, and refuses either by name.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { unpackSource } from '../support/device-trees.ts';

const program = fileURLToPath(new URL('../../dist/rpmsgd.js', import.meta.url));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rpmsgd-print-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function print(deviceTree: string) {
  const file = join(folder, 'rpmsgd.toml');
  writeFileSync(file, '[limits]\nwindow = 16\n');
  const options = ['--print-config', '--config', file, '--device-tree', deviceTree];
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...options], {
    encoding: 'utf8',
  });
  return { file, status, stdout, stderr };
}

test('a board without a remote in any file has those of its device tree', () => {
  const tree = unpackSource('boards/imx8qm-mek.dts', folder);
  const { file, status, stdout, stderr } = print(tree);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain(`window = 16  # ${file}: limits.window\n`);
  expect(stdout).toContain(`name = "cm41"  # ${tree}/imx8qm-cm4-1: compatible\n`);
  const mu = `${tree}/bus@5d000000/mailbox@5d210000: reg`;
  expect(stdout).toContain(`mu_base = 0x5d210000  # ${mu}\n`);
});

test('a device tree that is wrong is status 78, with node, property and rule', () => {
  const tree = unpackSource('broken/nine-vdevs.dts', folder);
  const { status, stdout, stderr } = print(tree);
  expect({ status, stdout }).toEqual({ status: 78, stdout: '' });
  expect(stderr).toBe(
    `rpmsgd: the configuration is refused:\n${tree}/imx8qxp-rpmsg@90000000: vdev-nums = 9: a remote has at most 8 vdevs; lower it\n`,
  );
});
