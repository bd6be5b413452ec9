// SPDX-License-Identifier: Apache-2.0
// From rpmsgd.toml to the effective configuration: defaults, directories, drop-ins, printing.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { printConfig } from '../../src/config/print.ts';
import { defaultLimits } from '../../src/config/types.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rpmsgd-config-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function directories(): string[] {
  return ['lib', 'run', 'etc'].map((name) => join(root, name));
}

const cm40 = `
[[remote]]
name = "cm40"
platform = "sim"
soc = "imx8qxp"
socket = "/run/soc.sock"
vdevs = 2
vrings = { base = 0x90000000, size = 0x20000 }
buffers = { base = 0x90400000, size = 0x100000 }
`;

test('no file at all gives the defaults and no remote', () => {
  const config = loadConfig({ directories: directories() });
  expect(config.files).toEqual([]);
  expect(config.remotes).toEqual([]);
  expect(config.limits).toEqual(defaultLimits);
  expect(config.log.level).toBe('info');
});

test('a remote becomes what the link is opened with', () => {
  const [remote] = loadConfig({ file: write('a.toml', cm40) }).remotes;
  expect(remote?.setup).toEqual({
    name: 'cm40',
    platform: { kind: 'sim', socket: '/run/soc.sock', core: 'cm40', soc: 'imx8qxp' },
    vdevs: 2,
    vringBase: 0x90000000,
    vringStride: 0x10000,
    tableBase: 0,
    tableBytes: 0,
    vring1Offset: 0x8000,
    bufferBase: 0x90400000,
    bufferStride: 0x40000,
    descriptors: 256,
    align: 0x1000,
    bufferBytes: 512,
    slots: 1024,
    readyWaitMs: 50,
    partition: -1,
    losslessVdevs: 0,
  });
});

test('a resource table has a page unless told otherwise', () => {
  const table = (text: string) => `${cm40}\nresource_table = ${text}\n`;
  const load = (text: string) =>
    loadConfig({ file: write('a.toml', table(text)) }).remotes[0]?.setup;
  expect(load('{ base = 0x900ff000 }')).toMatchObject({
    tableBase: 0x900ff000,
    tableBytes: 0x1000,
  });
  expect(load('{ base = 0x900fe000, size = 0x2000 }')).toMatchObject({
    tableBase: 0x900fe000,
    tableBytes: 0x2000,
  });
});

test('a core that is known needs no addresses', () => {
  const file = write('a.toml', '[[remote]]\nname = "cm41"\nplatform = "sim"\nsoc = "imx8qm"\n');
  const [remote] = loadConfig({ file }).remotes;
  expect(remote?.setup.vringBase).toBe(0x90100000);
  expect(remote?.setup.platform.core).toBe('cm41');
});

const motor = `
[[remote]]
name = "motor"
platform = "uio"
soc = "imx8qm"
core = "cm41"
`;

test('hardware that is known needs no addresses either', () => {
  const [remote] = loadConfig({ file: write('a.toml', motor) }).remotes;
  expect(remote?.setup.platform).toEqual({
    kind: 'uio',
    core: 'cm41',
    soc: 'imx8qm',
    muGeneration: 'v1',
    maxVdevs: 4,
    muDevice: '',
    muBase: 0x5d210000,
    memoryDevice: '',
    scuMuDevice: '',
    scuMuBase: 0,
    scuMuResource: 0,
    devMem: false,
  });
});

test('a MU with a name needs no address, and the one of SCFW has its resource by its own', () => {
  const names = 'mu_device = "mu6"\nmemory_device = "ddr"\nscu_mu_device = "mu2"\n';
  const text = `${motor}${names}scu_mu_base = 0x5d1d0000\ndev_mem = true\n`;
  const config = loadConfig({ file: write('a.toml', text) });
  expect(config.remotes[0]?.setup.platform).toMatchObject({
    muDevice: 'mu6',
    muBase: 0,
    memoryDevice: 'ddr',
    scuMuDevice: 'mu2',
    scuMuBase: 0x5d1d0000,
    scuMuResource: 215,
    devMem: true,
  });
  const again = loadConfig({ file: write('b.toml', printConfig(config)) });
  expect({ ...again, files: [] }).toEqual({ ...config, files: [] });
});

test('both cores of an i.MX8QM with all their vdevs fit beside each other by default', () => {
  const remote = (name: string) =>
    `[[remote]]\nname = "${name}"\nplatform = "sim"\nsoc = "imx8qm"\nvdevs = 4\n`;
  const { remotes } = loadConfig({ file: write('a.toml', remote('cm40') + remote('cm41')) });
  expect(remotes.map(({ name }) => name)).toEqual(['cm40', 'cm41']);
});

test('the main file of a higher directory hides the lower one', () => {
  write('lib/rpmsgd.toml', '[limits]\nwindow = 10\nrx_queue = 10\n');
  const upper = write('etc/rpmsgd.toml', '[limits]\nwindow = 20\n');
  const config = loadConfig({ directories: directories() });
  expect(config.files).toEqual([upper]);
  expect(config.limits).toMatchObject({ window: 20, rxQueue: defaultLimits.rxQueue });
});

test('a drop-in masks the one of the same name below, and all are read by name', () => {
  const main = write('lib/rpmsgd.toml', '[limits]\nwindow = 10\nrx_queue = 10\n');
  write('lib/rpmsgd.toml.d/20-b.toml', '[limits]\nwindow = 11\n');
  const upper = write('run/rpmsgd.toml.d/20-b.toml', '[limits]\nrx_queue = 12\n');
  const first = write('etc/rpmsgd.toml.d/10-a.toml', '[limits]\nrx_queue = 13\n');
  write('etc/rpmsgd.toml.d/README', 'not a drop-in');
  const config = loadConfig({ directories: directories() });
  expect(config.files).toEqual([main, first, upper]);
  expect(config.limits).toMatchObject({ window: 10, rxQueue: 12 });
});

test('remotes and channels merge by name, endpoints by vdev and name', () => {
  write('lib/rpmsgd.toml', `${cm40}[[channel]]\nname = "tty"\nhello = true\n`);
  write(
    'etc/rpmsgd.toml.d/site.toml',
    `[[remote]]
name = "cm40"
vdevs = 1
vrings = { size = 0x10000 }
[[remote.endpoint]]
vdev = 0
name = "gateway"
src = 30
[[channel]]
name = "tty"
group = "dialout"
`,
  );
  const config = loadConfig({ directories: directories() });
  expect(config.remotes).toHaveLength(1);
  expect(config.remotes[0]?.setup).toMatchObject({ vdevs: 1, vringBase: 0x90000000 });
  expect(config.remotes[0]?.endpoints).toEqual([
    { vdev: 0, name: 'gateway', src: 30, dst: undefined },
  ]);
  expect(config.channels).toEqual([{ name: 'tty', hello: true, tty: false, group: 'dialout' }]);
});

test('the printed configuration has addresses in hexadecimal and loads to the same', () => {
  const endpoint = '[[remote.endpoint]]\nvdev = 1\nname = "gateway"\nsrc = 30\ndst = 31\n';
  const channel = '[[channel]]\nname = "t\\"ty"\nhello = true\ngroup = "dialout"\n';
  const config = loadConfig({ file: write('a.toml', cm40 + endpoint + channel) });
  const printed = printConfig(config);
  expect(printed).toContain('\nvrings.base = 0x90000000\nvrings.size = 0x20000\n');
  expect(printed).toContain('\nbuffers.base = 0x90400000\nbuffers.size = 0x100000\n');
  const again = loadConfig({ file: write('b.toml', printed) });
  expect({ ...again, files: [] }).toEqual({ ...config, files: [] });
});
