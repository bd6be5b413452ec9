// SPDX-License-Identifier: Apache-2.0
// The overlays that are installed compile without a warning, and a board with one applied is read as
// it is meant.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { files } from '../../packaging/dev/installed-files.mjs';
import { loadConfig } from '../../src/config/load.ts';
import {
  devicesOf,
  deviceTreeIn,
  isCompatible,
  isEnabled,
  regions,
} from '../../src/devicetree/index.ts';
import { applyOverlays, overlaysFolder, unpack } from '../support/device-trees.ts';

const sources = readdirSync(overlaysFolder);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rpmsgd-overlays-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The base tree of a board with overlays applied, unpacked. */
function boardWith(board: string, ...names: string[]): string {
  return unpack(applyOverlays(board, names, folder), mkdtempSync(join(folder, `${board}-`)));
}

/** The UIO devices that the kernel would make: name and addresses. */
function uioDevices(tree: string): string[] {
  return [...devicesOf(deviceTreeIn(tree))]
    .filter((node) => isCompatible(node, ['generic-uio']) && isEnabled(node))
    .map((node) => {
      const bases = (regions(node) ?? []).map(({ base }) => base.toString(16));
      return `${node.baseName} ${bases.join(' ')}`;
    });
}

const boards = [
  {
    board: 'imx8qxp-mek',
    remotes: [['cm40', 2, 0x90000000, 0x90400000, 0x5d200000]],
    devices: ['rpmsg-mu 5d200000', 'rpmsg-memory 90400000 90000000'],
  },
  {
    board: 'imx8qm-mek',
    remotes: [
      ['cm40', 2, 0x90000000, 0x90400000, 0x5d200000],
      ['cm41', 2, 0x90100000, 0x90500000, 0x5d210000],
    ],
    devices: [
      'rpmsg-mu 5d200000',
      'rpmsg-memory 90400000 90000000',
      'rpmsg-mu 5d210000',
      'rpmsg-memory 90500000 90100000',
    ],
  },
  {
    board: 'imx8mq-evk',
    remotes: [['m4', 1, 0xb8000000, 0xb8400000, 0x30aa0000]],
    devices: ['rpmsg-mu 30aa0000', 'rpmsg-memory b8400000 b8000000'],
  },
  {
    board: 'imx8mm-evk',
    remotes: [['m4', 1, 0xb8000000, 0xb8400000, 0x30aa0000]],
    devices: ['rpmsg-mu 30aa0000', 'rpmsg-memory b8400000 b8000000'],
  },
  {
    board: 'imx8mp-evk',
    remotes: [['m7', 1, 0x55000000, 0x55800000, 0x30aa0000]],
    devices: ['rpmsg-mu 30aa0000', 'rpmsg-memory 55800000 55000000'],
  },
  {
    board: 'imx93-evk',
    remotes: [['m33', 2, 0xa4000000, 0xa4020000, 0x44230000]],
    devices: ['rpmsg-mu 44230000', 'rpmsg-memory a4020000 a4000000'],
  },
] as const;

it('is there for each of these boards, and for the MU of SCFW', () => {
  const expected = [...boards.map(({ board }) => `${board}-rpmsg.dtso`), 'imx8-scu-mu.dtso'];
  expect([...sources].sort()).toEqual(expected.sort());
});

it('is named by the bring-up guide', () => {
  const guide = readFileSync(new URL('../../packaging/doc/bring-up.md', import.meta.url), 'utf8');
  for (const name of sources) expect(guide).toContain(`\`${name.replace('.dtso', '')}\``);
});

it('is installed', () => {
  const installed = files.plain.map(([source]) => source);
  for (const name of sources) expect(installed).toContain(`packaging/overlays/${name}`);
});

describe.each(boards)('$board', ({ board, remotes, devices }) => {
  it('is discovered as it is meant, by UIO devices of its own', () => {
    const deviceTree = boardWith(board, `${board}-rpmsg.dtso`);
    const found = loadConfig({ directories: [], deviceTree }).remotes.map(({ name, setup }) => [
      name,
      setup.vdevs,
      setup.vringBase,
      setup.bufferBase,
      setup.platform.kind === 'uio' ? setup.platform.muBase : undefined,
    ]);
    expect(found).toEqual(remotes);
    expect(uioDevices(deviceTree).sort()).toEqual([...devices].sort());
  });

  it('leaves MU and core to no driver of the kernel', () => {
    const deviceTree = boardWith(board, `${board}-rpmsg.dtso`);
    const taken = remotes.map(([, , , , mu]) => mu as number);
    const others = [...devicesOf(deviceTreeIn(deviceTree))].filter((node) => {
      if (!isEnabled(node) || isCompatible(node, ['generic-uio'])) return false;
      const isMu = taken.includes(regions(node)?.[0]?.base ?? -1);
      return isMu || /-(cm4|cm7|cm33)/.test(node.name);
    });
    expect(others.map(({ path }) => path)).toEqual([]);
  });

  it('has its vrings and buffers in memory that Linux keeps its hands off', () => {
    const root = deviceTreeIn(boardWith(board, `${board}-rpmsg.dtso`));
    const reserved = root.child('reserved-memory')?.children() ?? [];
    const windows = [...devicesOf(root)]
      .filter(({ baseName }) => baseName === 'rpmsg-memory')
      .flatMap((node) => regions(node) ?? []);
    expect(windows.length).toBe(2 * remotes.length);
    for (const { base, size } of windows) {
      let end = base;
      for (const node of reserved.filter((one) => one.has('no-map'))) {
        const [region] = regions(node) ?? [];
        if (region !== undefined && region.base === end) end += region.size;
      }
      expect(end).toBeGreaterThanOrEqual(base + size);
    }
  });
});

it.each(['imx8qxp-mek', 'imx8qm-mek'])('lets the daemon of %s ask SCFW by MU2', (board) => {
  const deviceTree = boardWith(board, `${board}-rpmsg.dtso`, 'imx8-scu-mu.dtso');
  const platforms = loadConfig({ directories: [], deviceTree }).remotes.map(
    ({ setup }) => setup.platform,
  );
  for (const platform of platforms) {
    expect(platform).toMatchObject({ scuMuBase: 0x5d1d0000, scuMuResource: 215 });
  }
});
