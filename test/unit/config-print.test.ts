// SPDX-License-Identifier: Apache-2.0
// The printed configuration says of each value where it came from, and is a configuration itself.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig, loadExplained } from '../../src/config/load.ts';
import { printConfig } from '../../src/config/print.ts';
import { unpackSource } from '../support/device-trees.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rpmsgd-print-'));
  file = join(folder, 'rpmsgd.toml');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The printed lines by key, of the section that begins with `header`. */
function section(printed: string, header: string): Map<string, string> {
  const [, text = ''] = printed.split(`${header}\n`);
  const [lines = ''] = text.split('\n\n');
  return new Map(
    lines.split('\n').map((line) => {
      const [, key = '', rest = ''] = /^(\S+) = (.*)$/.exec(line) ?? [];
      return [key, rest];
    }),
  );
}

function print(deviceTree?: string) {
  const { config, originOf } = loadExplained({ file, deviceTree });
  return { config, printed: printConfig(config, originOf) };
}

test('values of a file, of the device tree, of the board table and of nobody are told apart', () => {
  const tree = unpackSource('boards/imx8qxp-mek.dts', folder);
  writeFileSync(file, '[[remote]]\nname = "cm40"\nslots = 64\nvrings = { stride = 0x10000 }\n');
  const { printed } = print(tree);
  expect(printed.startsWith(`# ${tree} (device tree)\n# ${file}\n`)).toBe(true);
  const remote = section(printed, '[[remote]]');
  expect(remote.get('slots')).toBe(`64  # ${file}: remote[0].slots`);
  expect(remote.get('vrings.stride')).toBe(`0x10000  # ${file}: remote[0].vrings.stride`);
  expect(remote.get('vdevs')).toBe(`2  # ${tree}/imx8qxp-rpmsg@90000000: vdev-nums`);
  expect(remote.get('vrings.base')).toBe(`0x90000000  # ${tree}/imx8qxp-rpmsg@90000000: reg`);
  expect(remote.get('mu_base')).toBe(`0x5d200000  # ${tree}/bus@5d000000/mailbox@5d200000: reg`);
  expect(remote.get('buffers.size')).toBe(
    `0x100000  # ${tree}/reserved-memory/rpmsg-dma@90400000: reg`,
  );
  expect(remote.get('soc')).toBe(`"imx8qxp"  # ${tree}: compatible`);
  expect(remote.get('descriptors')).toBe('256  # default');
  expect(section(printed, '[limits]').get('window')).toBe('64  # default');
});

test('what the board table knows is told as such', () => {
  writeFileSync(file, '[[remote]]\nname = "cm41"\nplatform = "uio"\nsoc = "imx8qm"\n');
  const remote = section(print().printed, '[[remote]]');
  expect(remote.get('mu_base')).toBe('0x5d210000  # default of imx8qm cm41');
  expect(remote.get('vrings.base')).toBe('0x90100000  # default of imx8qm cm41');
  expect(remote.get('vrings.size')).toBe('0x10000  # vdevs × stride');
});

test.each(['imx8qm-mek', 'imx8mm-evk-rpmsg', 'imx93-evk'])(
  'what is printed of %s loads to the same remotes',
  (board) => {
    writeFileSync(file, '[[channel]]\nname = "#\\"tty"\n');
    const { config, printed } = print(unpackSource(`boards/${board}.dts`, folder));
    writeFileSync(file, printed);
    const again = loadConfig({ file });
    expect({ ...again, files: [] }).toEqual({ ...config, files: [], deviceTree: undefined });
  },
);
