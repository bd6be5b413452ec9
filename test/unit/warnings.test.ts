// SPDX-License-Identifier: Apache-2.0
// What the daemon warns of at start.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { warningsAbout } from '../../src/daemon/warnings.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rpmsgd-warnings-'));
  file = join(folder, 'rpmsgd.toml');
});
afterEach(() => rmSync(folder, { recursive: true }));

function warnings(text: string, deviceTree?: string): string[] {
  writeFileSync(file, text);
  return warningsAbout(loadConfig({ file, deviceTree })).map(({ text }) => text);
}

test('with no remote it says which files and which tree were read, and what was looked for', () => {
  const [warning] = warningsAbout(loadConfig({ directories: [folder], deviceTree: folder }));
  expect(warning?.text).toMatch(/^no remote configured: describe one in .*rpmsgd\.toml/);
  expect(warning?.fields).toEqual({
    files: ['/usr/lib/rpmsg', '/run/rpmsg', '/etc/rpmsg'],
    deviceTree: expect.stringMatching(`^${folder}, for .*fsl,imx8qxp-rpmsg.*vdev0vring0`),
  });
});

const remote = '[[remote]]\nname = "cm40"\nplatform = "uio"\nsoc = "imx8qxp"\n';

test('memory through /dev/mem is warned about', () => {
  const text = `${remote}scu_mu_base = 0x5d1d0000\n`;
  expect(warnings(text)).toEqual([]);
  expect(warnings(`${text}dev_mem = true\n`)).toEqual([
    'remote "cm40".dev_mem is on: this process may map any memory; a UIO device for it is safer',
  ]);
});

test('a core under SCFW whose resets nobody tells is warned about', () => {
  expect(warnings(remote)).toEqual([
    'remote "cm40" has no scu_mu_base: resets are noticed only when the remote says that it is ready again',
  ]);
  const m4 = remote.replace('cm40', 'm4').replace('imx8qxp', 'imx8mm');
  expect(warnings(m4)).toEqual([]);
});
