// SPDX-License-Identifier: Apache-2.0
// A wrong configuration is refused with file, key, value, rule and remedy; everything wrong at once.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/problems.ts';

let root: string;
let file: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rpmsgd-config-'));
  file = join(root, 'rpmsgd.toml');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** The lines of the refusal, without the file's name. */
function refusal(text: string): string[] {
  writeFileSync(file, text);
  try {
    loadConfig({ file });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n').map((line) => {
      expect(line.startsWith(`${file}: `)).toBe(true);
      return line.slice(file.length + 2);
    });
  }
  throw new Error('the configuration was accepted');
}

function remote(lines: string, soc = 'imx8qxp', name = 'cm40'): string {
  return `[[remote]]\nname = "${name}"\nplatform = "sim"\nsoc = "${soc}"\n${lines}\n`;
}

describe('a remote is refused', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [
      'with nine vdevs',
      remote('vdevs = 9'),
      /^remote\[0\]\.vdevs = 9: .*at most 8 vdevs; lower it/,
    ],
    ['with no vdev', remote('vdevs = 0'), /^remote\[0\]\.vdevs = 0: .*at least 1/],
    [
      'with more vdevs than its firmware can address',
      remote('vdevs = 5', 'imx8qm'),
      /^remote\[0\]\.vdevs = 5: the firmware of imx8qm can address 4 vdevs at most; lower it to 4/,
    ],
    [
      'with the wrong type of number',
      remote('vdevs = "two"'),
      /^remote\[0\]\.vdevs = "two": must be a whole number/,
    ],
    [
      'with vrings that are too small',
      remote('vdevs = 2\nvrings = { base = 0x90000000, size = 0x10000 }'),
      /^remote\[0\]\.vrings\.size = 0x10000: is too small: 0x10000 for each of 2 vdevs make 0x20000/,
    ],
    [
      'with buffers that are too small',
      remote('vdevs = 2\nbuffers = { base = 0x90400000, size = 0x40000 }'),
      /^remote\[0\]\.buffers\.size = 0x40000: is too small: 0x40000 for each of 2 vdevs make 0x80000/,
    ],
    [
      'with a ring that does not fit before vring1',
      remote('descriptors = 2048'),
      /^remote\[0\]\.vrings\.vring1_offset: is too small for a ring of 2048 descriptors/,
    ],
    [
      'with a misaligned base',
      remote('vrings = { base = 0x90000800 }'),
      /^remote\[0\]\.vrings\.base = 0x90000800: must be a multiple of 0x1000/,
    ],
    [
      'with memory above 4 GiB',
      remote('buffers = { base = 0x100000000 }'),
      /^remote\[0\]\.buffers\.base = 0x100000000: lies above 4 GiB/,
    ],
    [
      'with memory that ends past 4 GiB',
      remote('vdevs = 2\nvrings = { base = 0xffff0000 }'),
      /^remote\[0\]\.vrings\.base = 0xffff0000: the region ends at 0x100010000, past 4 GiB/,
    ],
    [
      'with buffers upon its rings',
      remote('buffers = { base = 0x90008000 }'),
      /^remote\[0\]\.buffers\.base = 0x90008000: overlaps the vrings of cm40 \(0x90000000 to 0x9000ffff\)/,
    ],
    [
      'with a resource table without a place',
      remote('resource_table = { size = 0x1000 }'),
      /^remote\[0\]\.resource_table\.base: is missing/,
    ],
    [
      'with a resource table that begins within a page',
      remote('resource_table = { base = 0x900ff800 }'),
      /^remote\[0\]\.resource_table\.base = 0x900ff800: must be a multiple of 0x1000/,
    ],
    [
      'with a resource table that is smaller than one is',
      remote('resource_table = { base = 0x900ff000, size = 0x200 }'),
      /^remote\[0\]\.resource_table\.size = 0x200: is too small: .* make 0x400/,
    ],
    [
      'with a resource table in its buffers',
      remote('resource_table = { base = 0x90401000 }'),
      /^remote\[0\]\.resource_table\.base = 0x90401000: overlaps the buffers of cm40/,
    ],
    [
      'with a key of the resource table that is none',
      remote('resource_table = { base = 0x900ff000, length = 0x1000 }'),
      /^remote\[0\]\.resource_table\.length/,
    ],
    [
      'with a name no path could show',
      remote('', 'imx8qxp', 'CM 40'),
      /^remote\[0\]\.name = "CM 40": /,
    ],
    [
      'without a SoC',
      '[[remote]]\nname = "cm40"\nplatform = "sim"',
      /^remote\[0\]\.soc: is missing/,
    ],
    [
      'with an unknown SoC',
      remote('', 'imx99'),
      /^remote\[0\]\.soc = "imx99": is not a SoC .*imx8qxp/,
    ],
    [
      'when it does not say which core it is',
      remote('', 'imx8qm', 'motor'),
      /^remote\[0\]\.core: is missing: imx8qm has cm40 and cm41; say which/,
    ],
    ['with descriptors that are no power of two', remote('descriptors = 100'), /power of two/],
    [
      'with an unknown key',
      remote('vrigns = {}'),
      /^remote\[0\]\.vrigns = \{ {2}\}: .*did you mean vrings\?/,
    ],
    [
      'with an unknown key in a table',
      remote('vrings = { bsae = 1 }'),
      /^remote\[0\]\.vrings\.bsae = 1: .*did you mean base\?/,
    ],
    [
      'with a static endpoint on a vdev it has not',
      remote('[[remote.endpoint]]\nvdev = 1\nname = "x"\nsrc = 30'),
      /^remote\[0\]\.endpoint\[0\]\.vdev = 1: cm40 has vdevs 0 to 0 only/,
    ],
    [
      'with a static endpoint at the name service',
      remote('[[remote.endpoint]]\nvdev = 0\nname = "x"\nsrc = 53'),
      /^remote\[0\]\.endpoint\[0\]\.src = 53: .*name service/,
    ],
    [
      'with two static endpoints at one address',
      remote(
        '[[remote.endpoint]]\nvdev = 0\nname = "x"\nsrc = 30\n[[remote.endpoint]]\nvdev = 0\nname = "y"\nsrc = 30',
      ),
      /^remote\[0\]\.endpoint\[1\]\.src = 30: endpoint "x" on vdev 0 has this address already/,
    ],
  ];
  test.each(cases)('%s', (_what, text, expected) => {
    const lines = refusal(text);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(expected);
  });
});

describe('a remote on UIO is refused', () => {
  const uio = (lines: string, soc?: string, name?: string) =>
    remote(lines, soc, name).replace('"sim"', '"uio"');
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [
      'with the socket of a simulated SoC',
      uio('socket = "/run/soc.sock"'),
      /^remote\[0\]\.socket = "\/run\/soc.sock": is for platform "sim"; remove it/,
    ],
    [
      'without a MU where no default is known',
      uio('', 'imx8ulp', 'm33'),
      /^remote\[0\]\.mu_base: is missing: no default is known for this core/,
    ],
    ['with registers where none can be', uio('mu_base = 0'), /^remote\[0\]\.mu_base = 0x0: /],
    [
      'with registers between words',
      uio('mu_base = 0x5d200002'),
      /^remote\[0\]\.mu_base = 0x5d200002: must be a multiple of 4/,
    ],
    [
      'with a UIO name that is a path',
      uio('mu_device = "two words"'),
      /^remote\[0\]\.mu_device = "two words": must be the name of a UIO device/,
    ],
    [
      'with the MU of the kernel for SCFW',
      uio('scu_mu_base = 0x5d1c0000'),
      /^remote\[0\]\.scu_mu_base = 0x5d1c0000: is the MU by which the kernel itself calls SCFW; it is one of 0x5d1b0000, 0x5d1d0000, 0x5d1e0000, 0x5d1f0000/,
    ],
    [
      'with a MU for SCFW that does not lead there',
      uio('scu_mu_base = 0x5d200000'),
      /^remote\[0\]\.scu_mu_base = 0x5d200000: is not a MU of imx8qxp that reaches SCFW/,
    ],
    [
      'with the name of a MU for SCFW alone',
      uio('scu_mu_device = "rpmsg-scu-mu"'),
      /^remote\[0\]\.scu_mu_base: is missing: SCFW is told by which MU it is called/,
    ],
    [
      'with a MU for SCFW where there is none',
      uio('scu_mu_base = 0x5d1d0000', 'imx8mm', 'm4'),
      /^remote\[0\]\.scu_mu_base = 0x5d1d0000: imx8mm has no SCFW; remove it/,
    ],
  ];
  test.each(cases)('%s', (_what, text, expected) => {
    const lines = refusal(text);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(expected);
  });
});

test('a simulated remote has no UIO device', () => {
  expect(refusal(remote('mu_device = "rpmsg-mu"\ndev_mem = true'))).toEqual([
    'remote[0].mu_device = "rpmsg-mu": is for platform "uio"; remove it',
    'remote[0].dev_mem = true: is for platform "uio"; remove it',
  ]);
});

test('two remotes may not share memory', () => {
  const text =
    remote('', 'imx8qm', 'cm40') + remote('vrings = { base = 0x90000000 }', 'imx8qm', 'cm41');
  expect(refusal(text)).toEqual([
    'remote[1].vrings.base = 0x90000000: overlaps the vrings of cm40 (0x90000000 to 0x9000ffff); move one of them',
  ]);
});

test('a name given twice in one file is refused, not merged', () => {
  expect(refusal(remote('') + remote(''))).toEqual([
    'remote[1].name = "cm40": remote[0] has this name already; give one of them another name',
  ]);
});

test('two remotes may not be one core', () => {
  const text =
    remote('') +
    remote(
      'core = "cm40"\nvrings = { base = 0xa0000000 }\nbuffers = { base = 0xa1000000 }',
      'imx8qxp',
      'motor',
    );
  expect(refusal(text)).toEqual([
    'remote[1].core = "cm40": core cm40 is remote "cm40" already; one core has one remote',
  ]);
});

test('limits have their ranges', () => {
  expect(refusal('[limits]\nsend_timeout_ms = 20001\nwindow = 2000\n')).toEqual([
    'limits.send_timeout_ms = 20001: must be a whole number from 1 to 20000 milliseconds',
    'limits.window = 2000: is above window_max, which is 1024; lower it or raise window_max',
  ]);
});

test('everything that is wrong is said at once', () => {
  const text = `[limit]\nx = 1\n${remote('vdevs = 9')}${remote('color = "red"', 'imx93', 'm33')}`;
  expect(refusal(text).map((line) => line.slice(0, line.indexOf(':')))).toEqual([
    'limit = { x = 1 }',
    'remote[1].color = "red"',
    'remote[0].vdevs = 9',
  ]);
});

test('a syntax error says line and column', () => {
  expect(refusal('[limits]\nwindow = = 3\n')[0]).toMatch(/^line 2, column \d+: /);
});

test('a file that is not there is named', () => {
  const missing = join(root, 'none.toml');
  expect(() => loadConfig({ file: missing })).toThrow(`${missing}: there is no such file`);
});

test('a complaint names the file that said it, of several', () => {
  const dropIn = join(root, 'rpmsgd.toml.d', 'site.toml');
  mkdirSync(join(root, 'rpmsgd.toml.d'));
  writeFileSync(file, remote(''));
  writeFileSync(dropIn, '[[remote]]\nname = "cm40"\nvdevs = 9\n');
  expect(() => loadConfig({ directories: [root] })).toThrow(`${dropIn}: remote[0].vdevs = 9`);
});
