// SPDX-License-Identifier: Apache-2.0
// Checks of physical memory: size, alignment, the 4 GiB that an M core can address, overlaps.

import type { PathStep } from './origins.ts';
import { hex } from './problems.ts';
import {
  boardOf,
  bufferBytesPerVdev,
  coreOf,
  soc,
  tablePlaceBytes,
  vdevsOf,
  vringDefaults,
  windowsOf,
} from './resolve.ts';
import type { RemoteShape } from './schema.ts';
import type { Complain } from './validate.ts';

const pageBytes = 0x1000;
const addressable = 0x1_0000_0000;
/** As much of a resource table as is read (native/resource). */
const tableBytes = 1024;

interface Region {
  readonly path: readonly PathStep[];
  readonly what: string;
  /** Whose memory it is in: simulated boards share none. */
  readonly board: string;
  readonly base: number;
  readonly size: number;
  /** Bytes that are needed, and why. */
  readonly needed: number;
  readonly why: string;
}

/** Bytes of one ring: descriptors, avail ring, padding, used ring (virtio 1.2 §2.7.2). */
export function ringBytes(descriptors: number, align: number): number {
  const driverPart = 16 * descriptors + 4 + 2 * descriptors + 2;
  return Math.ceil(driverPart / align) * align + 4 + 8 * descriptors + 2;
}

/** Complains about the regions of every remote, each by itself and all among each other. */
export function checkRegions(remotes: readonly RemoteShape[], complain: Complain): void {
  const regions = remotes.flatMap((remote, index) => {
    checkRingFits(remote, index, complain);
    return regionsOf(remote, index, complain);
  });
  for (const region of regions) checkRegion(region, complain);
  checkOverlaps(regions, complain);
}

function regionsOf(remote: RemoteShape, index: number, complain: Complain): Region[] {
  const windows = windowsOf(remote);
  const vdevs = vdevsOf(remote);
  const perVdev = bufferBytesPerVdev(remote);
  const regions: Region[] = [];
  const board = boardOf(remote);
  type Size = Omit<Region, 'path' | 'board' | 'base'>;
  const add = (key: string, base: number | undefined, size: Size) => {
    const path = ['remote', index, key];
    if (base !== undefined) regions.push({ path, board, base, ...size });
    else if (soc(remote.soc) !== undefined && coreOf(remote) !== undefined) {
      complain(
        [...path, 'base'],
        `is missing: no default is known for this core; say where its ${key} are`,
      );
    }
  };
  add('vrings', windows.vringBase, {
    what: `the vrings of ${remote.name}`,
    size: windows.vringSize,
    needed: vdevs * windows.vringStride,
    why: `${hex(windows.vringStride)} for each of ${vdevs} vdevs`,
  });
  add('buffers', windows.bufferBase, {
    what: `the buffers of ${remote.name}`,
    size: windows.bufferSize,
    needed: vdevs * perVdev,
    why: `${hex(perVdev)} for each of ${vdevs} vdevs`,
  });
  const table = remote.resource_table;
  if (table !== undefined) {
    add('resource_table', table.base, {
      what: `the resource table of ${remote.name}`,
      size: table.size ?? tablePlaceBytes,
      needed: tableBytes,
      why: 'a resource table and its entries',
    });
  }
  return regions;
}

function checkRingFits(remote: RemoteShape, index: number, complain: Complain): void {
  const { vringStride, vring1Offset } = windowsOf(remote);
  const path = ['remote', index, 'vrings'];
  const descriptors = remote.descriptors ?? 256;
  const ring = ringBytes(descriptors, vringDefaults.align);
  if (vring1Offset % pageBytes !== 0) {
    complain([...path, 'vring1_offset'], aligned());
  } else if (vring1Offset < ring) {
    complain(
      [...path, 'vring1_offset'],
      `is too small for a ring of ${descriptors} descriptors, which takes ${hex(ring)} bytes; raise it`,
    );
  }
  if (vringStride % pageBytes !== 0) {
    complain([...path, 'stride'], aligned());
  } else if (vring1Offset >= ring && vringStride < vring1Offset + ring) {
    complain(
      [...path, 'stride'],
      `is too small: vring1 at ${hex(vring1Offset)} takes ${hex(ring)} bytes more; raise it to ${hex(vring1Offset * 2)}`,
    );
  }
}

function aligned(): string {
  return `must be a multiple of ${hex(pageBytes)}, the ring's alignment; round it up`;
}

function checkRegion({ path, base, size, needed, why }: Region, complain: Complain): void {
  if (base >= addressable) {
    complain([...path, 'base'], 'lies above 4 GiB, where no M core can reach; use memory below');
  } else if (base % pageBytes !== 0) {
    complain([...path, 'base'], aligned());
  } else if (base + Math.max(size, needed) > addressable) {
    const where = hex(base + Math.max(size, needed));
    complain(
      [...path, 'base'],
      `the region ends at ${where}, past 4 GiB, where no M core can reach; move it down`,
    );
  }
  if (size < needed) {
    complain(
      [...path, 'size'],
      `is too small: ${why} make ${hex(needed)}; raise it or use fewer vdevs`,
    );
  } else if (size % pageBytes !== 0) {
    complain([...path, 'size'], aligned());
  }
}

function checkOverlaps(regions: readonly Region[], complain: Complain): void {
  for (const [index, region] of regions.entries()) {
    const other = regions.slice(0, index).find((one) => overlap(one, region));
    if (other === undefined) continue;
    const ends = `${hex(other.base)} to ${hex(other.base + extent(other) - 1)}`;
    complain([...region.path, 'base'], `overlaps ${other.what} (${ends}); move one of them`);
  }
}

function extent({ size, needed }: Region): number {
  return Math.max(size, needed);
}

function overlap(a: Region, b: Region): boolean {
  return a.board === b.board && a.base < b.base + extent(b) && b.base < a.base + extent(a);
}
