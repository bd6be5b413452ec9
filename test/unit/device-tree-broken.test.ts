// SPDX-License-Identifier: Apache-2.0
// A device tree that is wrong is refused with the node, the property, the rule: never used in part.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/problems.ts';
import { treesFolder, unpackSource } from '../support/device-trees.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rpmsgd-trees-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The complaints, without the tree's directory. */
function complaints(name: string): string[] {
  const deviceTree = unpackSource(`broken/${name}.dts`, folder);
  try {
    loadConfig({ directories: [], deviceTree });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n').map((line) => {
      expect(line.startsWith(deviceTree)).toBe(true);
      return line.slice(deviceTree.length);
    });
  }
  throw new Error(`${name} was accepted`);
}

const rpmsg = '/imx8qxp-rpmsg@90000000';
const mu = '/bus@5d000000/mailbox@5d200000';
const countRule = 'memory below it can be described with 1 or 2 only';
const cases: Readonly<Record<string, string>> = {
  'above-4gib': `${rpmsg}: reg = 0x100000000: lies above 4 GiB, where no M core can reach; use memory below`,
  'beyond-all-memory': `${rpmsg}: reg: says 0xffffffff90000000, where no memory can be`,
  'cut-mailboxes': `${rpmsg}: mboxes: ends within an entry: ${mu} takes 2 cells after its phandle`,
  'described-twice': `/rpmsg@90020000: describes cm40, as ${rpmsg} does; disable one of them`,
  'memory-without-reg':
    '/reserved-memory/rpmsg-dma@90400000: reg: is missing: memory that a remote uses has a fixed place',
  'missing-phandle': `${rpmsg}: memory-region: refers to the phandle 0xdead, which no node has`,
  'names-missing': `${rpmsg}: mbox-names: has 2 names for 3 mailboxes`,
  'nine-vdevs': `${rpmsg}: vdev-nums = 9: a remote has at most 8 vdevs; lower it`,
  'no-bytes': `${rpmsg}: reg: has a region of no bytes`,
  'no-cells': `${rpmsg}: reg: is 2 bytes long; cells have 4 bytes each, and it has at least one`,
  'no-mbox-cells': `${mu}: #mbox-cells: is missing`,
  'no-ranges': `/bus@5d000000: ranges: is missing: without it the CPU cannot reach ${mu}`,
  'no-such-partition': `${rpmsg}: mub-partition = 99: must be a whole number from 0 to 31`,
  'outside-ranges': `/bus@5d000000: ranges: has no entry for 0x6d200000, the reg of ${mu}`,
  overlapping:
    '/reserved-memory/rpmsg-dma@90400000: reg = 0x90010000: overlaps the vrings of cm40 (0x90000000 to 0x9001ffff); move one of them',
  'short-reg': `${rpmsg}: reg: has 3 cells; an address of 2 and a size of 2 take 4 each`,
  'string-without-end': `${rpmsg}: mbox-names: is a string without end: its last byte is not NUL`,
  'three-address-cells': `: #address-cells: is 3: ${countRule}`,
  'two-mus': `${rpmsg}: mboxes: refers to ${mu} and /bus@5d000000/mailbox@5d210000; a remote has one MU`,
  'two-numbers': `${rpmsg}: vdev-nums: has 2 cells, and must have one`,
  'unknown-soc':
    ': compatible: names no SoC that is known; it is one of imx6sx, imx7d, imx7ulp, imx8qxp, imx8dxl, imx8qm, imx8mq, imx8mm, imx8mn, imx8mp, imx8ulp, imx93, imx95',
  'unprintable-string': `${rpmsg}: mbox-names: is empty in places, or has a byte that is no printable character`,
  'vring-missing': '/imx8mm-cm4: memory-region: leads to 1 vrings; each vdev has two',
  'vring-too-small':
    '/reserved-memory/vdev0vring1@b8008000: reg: has 0x1000 bytes; a ring of 256 descriptors takes 0x2806',
  'vrings-of-a-kind': '/reserved-memory/vdev1vring0@b8010000: follows a vring0 that has no vring1',
  'vrings-uneven':
    '/reserved-memory/vdev1vring1@a4018000: reg: begins at 0xa401c000, not at 0xa4018000; the vrings of a remote lie at equal distances',
  'which-core':
    '/rpmsg@90000000: mboxes: does not tell whether this is cm40 or cm41: neither the MU nor the vrings are those of one',
  'wrong-channel': `${rpmsg}: mboxes: says <0 0> for tx, which is <0 1> with the RPMsg of every M core`,
  'zero-address-cells': `/reserved-memory: #address-cells: is 0: ${countRule}`,
  'zero-size-cells': `: #size-cells: is 0: ${countRule}`,
};

it('has a case for every broken tree', () => {
  const sources = readdirSync(join(treesFolder, 'broken')).map((name) => name.replace('.dts', ''));
  expect(Object.keys(cases).sort()).toEqual(sources.sort());
});

it.each(Object.entries(cases))('refuses the one with %s, once', (name, expected) => {
  expect(complaints(name)).toEqual([expected]);
});

it('forgives what a file says instead', () => {
  const file = join(folder, 'rpmsgd.toml');
  const deviceTree = unpackSource('broken/missing-phandle.dts', folder);
  writeFileSync(file, '[[remote]]\nname = "cm40"\nbuffers = { base = 0x90500000 }\n');
  const [remote] = loadConfig({ file, deviceTree }).remotes;
  expect(remote?.setup).toMatchObject({ vringBase: 0x90000000, bufferBase: 0x90500000 });
});

it('forgives everything to a file that wants no remote of it', () => {
  const file = join(folder, 'rpmsgd.toml');
  const deviceTree = unpackSource('broken/which-core.dts', folder);
  writeFileSync(file, '[device_tree]\nremotes = []\n');
  expect(loadConfig({ file, deviceTree }).remotes).toEqual([]);
});

it('is named when it is not there', () => {
  const deviceTree = join(folder, 'nowhere');
  expect(() => loadConfig({ directories: [], deviceTree })).toThrow(
    `${deviceTree}: there is no such directory; name a device tree`,
  );
});
