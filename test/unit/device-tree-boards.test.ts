// SPDX-License-Identifier: Apache-2.0
// Each board's device tree as people's kernels have it becomes the remotes that the board has.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { compile, treesFolder, unpack, unpackSource } from '../support/device-trees.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rpmsgd-trees-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function remotesOf(board: string) {
  const deviceTree = unpackSource(`boards/${board}.dts`, folder);
  return loadConfig({ directories: [], deviceTree }).remotes;
}

interface Expected {
  readonly name: string;
  readonly soc: string;
  readonly mu: number;
  readonly generation?: string;
  readonly vdevs: number;
  readonly vrings: number;
  readonly buffers: number;
  readonly partition?: number;
}

const boards: Readonly<Record<string, readonly Expected[]>> = {
  'imx8qxp-mek': [
    {
      name: 'cm40',
      soc: 'imx8qxp',
      mu: 0x5d200000,
      vdevs: 2,
      vrings: 0x90000000,
      buffers: 0x90400000,
      partition: 3,
    },
  ],
  'imx8mq-evk': [
    {
      name: 'm4',
      soc: 'imx8mq',
      mu: 0x30aa0000,
      vdevs: 1,
      vrings: 0xb8000000,
      buffers: 0xb8400000,
    },
  ],
  'imx8mm-evk-rpmsg': [
    {
      name: 'm4',
      soc: 'imx8mm',
      mu: 0x30aa0000,
      vdevs: 1,
      vrings: 0xb8000000,
      buffers: 0xb8400000,
    },
  ],
  'imx8mp-evk': [
    {
      name: 'm7',
      soc: 'imx8mp',
      mu: 0x30aa0000,
      vdevs: 1,
      vrings: 0x55000000,
      buffers: 0x55800000,
    },
  ],
  'imx8mp-reserved': [
    {
      name: 'm7',
      soc: 'imx8mp',
      mu: 0x30aa0000,
      vdevs: 2,
      vrings: 0x55000000,
      buffers: 0x55400000,
    },
  ],
  'imx8qm-mek': [
    {
      name: 'cm40',
      soc: 'imx8qm',
      mu: 0x5d200000,
      vdevs: 2,
      vrings: 0x90000000,
      buffers: 0x90400000,
    },
    {
      name: 'cm41',
      soc: 'imx8qm',
      mu: 0x5d210000,
      vdevs: 2,
      vrings: 0x90100000,
      buffers: 0x90480000,
    },
  ],
  'imx8qm-old': [
    {
      name: 'cm40',
      soc: 'imx8qm',
      mu: 0x5d200000,
      vdevs: 1,
      vrings: 0x90000000,
      buffers: 0x90400000,
    },
    {
      name: 'cm41',
      soc: 'imx8qm',
      mu: 0x5d210000,
      vdevs: 1,
      vrings: 0x90100000,
      buffers: 0x90600000,
      partition: 4,
    },
  ],
  'imx93-evk': [
    {
      name: 'm33',
      soc: 'imx93',
      mu: 0x44230000,
      generation: 'v2',
      vdevs: 2,
      vrings: 0xa4000000,
      buffers: 0xa4020000,
    },
  ],
};

it('has a case for every board, and a board for every case', () => {
  const sources = readdirSync(join(treesFolder, 'boards')).map((name) => name.replace('.dts', ''));
  expect(Object.keys(boards).sort()).toEqual(sources.sort());
});

describe.each(Object.entries(boards))('%s', (board, expected) => {
  it('describes its remotes', () => {
    const remotes = remotesOf(board).map(({ setup, soc, partition }) => ({
      name: setup.name,
      soc,
      platform: setup.platform,
      vdevs: setup.vdevs,
      vrings: setup.vringBase,
      stride: setup.vringStride,
      vring1: setup.vring1Offset,
      buffers: setup.bufferBase,
      partition,
    }));
    expect(remotes).toEqual(
      expected.map(({ mu, generation = 'v1', partition = 'auto', ...rest }) => ({
        ...rest,
        platform: expect.objectContaining({
          kind: 'uio',
          core: rest.name,
          soc: rest.soc,
          muBase: mu,
          muGeneration: generation,
          devMem: false,
        }),
        stride: 0x10000,
        vring1: 0x8000,
        partition,
      })),
    );
  });

  it('is unpacked as dtc reads such directories', () => {
    const blob = compile(join(treesFolder, `boards/${board}.dts`), folder);
    const directory = unpack(blob, join(folder, `${board}.again`));
    const sorted = (format: string, input: string) => {
      const args = ['-q', '-s', '-I', format, '-O', 'dts', input];
      return execFileSync('dtc', args, { encoding: 'utf8' }).replace(/^\/memreserve.*$/gm, '');
    };
    expect(sorted('fs', directory)).toBe(sorted('dtb', blob));
  });
});

it('has the place of the resource table where a tree reserves one', () => {
  const [mm] = remotesOf('imx8mm-evk-rpmsg');
  expect(mm?.setup).toMatchObject({ tableBase: 0xb80ff000, tableBytes: 0x1000 });
  const [qxp] = remotesOf('imx8qxp-mek');
  expect(qxp?.setup).toMatchObject({ tableBytes: 0 });
});

it('is overridden by files, key by key, and added to', () => {
  const deviceTree = unpackSource('boards/imx8qxp-mek.dts', folder);
  const file = join(folder, 'rpmsgd.toml');
  writeFileSync(file, '[[remote]]\nname = "cm40"\nvdevs = 1\nmu_device = "rpmsg-mu"\n');
  const [remote] = loadConfig({ file, deviceTree }).remotes;
  expect(remote?.setup).toMatchObject({
    vdevs: 1,
    vringBase: 0x90000000,
    platform: { kind: 'uio', muDevice: 'rpmsg-mu', muBase: 0x5d200000 },
  });
});

it('has nothing to do with a remote that a file puts on the simulator', () => {
  const deviceTree = unpackSource('boards/imx8qxp-mek.dts', folder);
  const file = join(folder, 'rpmsgd.toml');
  writeFileSync(file, '[[remote]]\nname = "cm40"\nplatform = "sim"\nsoc = "imx8qxp"\n');
  const [remote] = loadConfig({ file, deviceTree }).remotes;
  expect(remote?.setup).toMatchObject({ vdevs: 1, platform: { kind: 'sim' } });
  expect(remote?.partition).toBe('auto');
});

it('gives the remotes that a file asks for, and none to a file that wants none', () => {
  const deviceTree = unpackSource('boards/imx8qm-mek.dts', folder);
  const file = join(folder, 'rpmsgd.toml');
  const names = (wanted: string) => {
    writeFileSync(file, `[device_tree]\nremotes = ${wanted}\n`);
    return loadConfig({ file, deviceTree }).remotes.map(({ name }) => name);
  };
  expect(names('["cm41"]')).toEqual(['cm41']);
  expect(names('[]')).toEqual([]);
  expect(() => names('["m7"]')).toThrow(
    `${file}: device_tree.remotes[0] = "m7": is a remote that the device tree has not`,
  );
});
