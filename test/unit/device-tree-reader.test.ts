// SPDX-License-Identifier: Apache-2.0
// The reader of device trees keeps its limits and its temper, whatever a directory has in it.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  DeviceTreeNode,
  devicesOf,
  deviceTreeIn,
  type NodeContents,
  Phandles,
  regions,
  treeLimits,
} from '../../src/devicetree/index.ts';
import { type MemoryNode, memoryTree } from '../support/memory-tree.ts';

describe('a directory', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rpmsgd-tree-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is read without its links and pipes', () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    symlinkSync('/etc/passwd', join(folder, 'link'));
    mkdirSync(join(folder, 'node'));
    writeFileSync(join(folder, 'property'), 'x');
    const root = deviceTreeIn(folder);
    expect(root.children().map(({ name }) => name)).toEqual(['node']);
    expect([root.has('pipe'), root.has('link'), root.has('property')]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('may not have a property of more bytes than any has', () => {
    writeFileSync(join(folder, 'big'), Buffer.alloc(treeLimits.bytes + 1));
    expect(() => deviceTreeIn(folder).bytes('big')).toThrow(
      '/: big: cannot be read: 65537 bytes; 65536 is the most that is read',
    );
  });

  it('is named with the node that cannot be read', () => {
    mkdirSync(join(folder, 'node'));
    const root = deviceTreeIn(folder);
    const [node] = root.children();
    rmSync(join(folder, 'node'), { recursive: true });
    expect(() => node?.children()).toThrow('/node: cannot be read: ENOENT');
  });
});

function rootOf(tree: MemoryNode): DeviceTreeNode {
  return DeviceTreeNode.root(memoryTree(tree));
}

it('reads no tree deeper than the kernel takes', () => {
  const endless: NodeContents = {
    property: (name) => (name === 'compatible' ? Buffer.from('simple-bus\0') : undefined),
    children: () => new Map([['deeper', endless]]),
  };
  expect(() => [...devicesOf(DeviceTreeNode.root(endless))]).toThrow(/has nodes deeper than 64/);
});

/** A node with so many nodes of one kind. */
function many(count: number, child: NodeContents): NodeContents {
  const children = new Map(Array.from({ length: count }, (_, index) => [`n${index}`, child]));
  return { property: () => undefined, children: () => children };
}

it('reads no tree of more nodes than any board has', () => {
  const root = DeviceTreeNode.root(many(4_000, many(4_000, many(0, memoryTree({})))));
  const user = rootOf({ properties: { uses: [1] } });
  expect(() => new Phandles(root).references(user, 'uses')).toThrow(
    /the tree has more than 20000 nodes/,
  );
});

it('reads no node of more nodes than any has', () => {
  const root = DeviceTreeNode.root(many(4_097, memoryTree({})));
  expect(() => root.children()).toThrow('has 4097 nodes; 4096 is the most');
});

it('leaves alone what is wrong with devices that matter to nobody', () => {
  const root = rootOf({
    children: {
      odd: { properties: { compatible: 'acme,odd', phandle: [1, 2], status: [0xffffffff] } },
      bus: {
        properties: { compatible: 'simple-bus' },
        children: { inner: { properties: { compatible: 'acme,inner', phandle: [7] } } },
      },
      off: {
        properties: { compatible: 'simple-bus', status: 'disabled' },
        children: { hidden: { properties: { compatible: 'acme,hidden' } } },
      },
    },
  });
  expect([...devicesOf(root)].map(({ path }) => path)).toEqual([
    '/odd',
    '/bus',
    '/bus/inner',
    '/off',
  ]);
  const user = rootOf({ properties: { uses: [7] } });
  expect(new Phandles(root).references(user, 'uses')?.[0]?.target.path).toBe('/bus/inner');
});

it('finds a phandle that is neither a device nor reserved memory, and none that two nodes share', () => {
  const root = rootOf({
    properties: { far: [9], shared: [5] },
    children: {
      cpus: { children: { cpu: { properties: { phandle: [9] } } } },
      one: { properties: { phandle: [5] } },
      other: { properties: { phandle: [5] } },
    },
  });
  const phandles = new Phandles(root);
  expect(phandles.references(root, 'far')?.[0]?.target.path).toBe('/cpus/cpu');
  expect(() => phandles.references(root, 'shared')).toThrow(
    '/: shared: refers to the phandle 0x5, which /one and /other have',
  );
});

it('takes addresses through every bus above', () => {
  const root = rootOf({
    properties: { '#address-cells': [2], '#size-cells': [2] },
    children: {
      outer: {
        properties: {
          '#address-cells': [1],
          '#size-cells': [1],
          ranges: [0x1000, 0, 0x50000000, 0x1000, 0x0, 0, 0x40000000, 0x1000],
        },
        children: {
          inner: {
            properties: { '#address-cells': [1], '#size-cells': [1], ranges: [0, 0x1000, 0x800] },
            children: { device: { properties: { reg: [0x10, 0x20, 0x400, 0x100] } } },
          },
        },
      },
    },
  });
  const device = root.children()[0]?.children()[0]?.children()[0];
  expect(device && regions(device)).toEqual([
    { base: 0x50000010, size: 0x20 },
    { base: 0x50000400, size: 0x100 },
  ]);
});
