// SPDX-License-Identifier: Apache-2.0
// Which folder may use which: the architecture as two tables, held against every include and import.

import { describe, expect, it } from 'vitest';
import { type Edge, nativeEdges, sourceEdges } from '../support/edges.ts';

/** A folder's own files are always allowed; `x (types)` allows `import type` alone. */
type Table = Readonly<Record<string, readonly string[]>>;

const native: Table = {
  base: [],
  memory: ['base'],
  virtio: ['base', 'memory'],
  mu: ['base', 'memory/barrier.h'],
  scu: ['base', 'mu'],
  platform: ['base', 'memory', 'mu'],
  'platform/sim': ['base', 'memory', 'mu', 'platform', 'sim/protocol.h'],
  'platform/uio': ['base', 'memory', 'mu', 'platform'],
  resource: ['base', 'memory'],
  rpmsg: ['base'],
  link: [
    ...['base', 'memory', 'virtio', 'mu', 'scu', 'platform', 'platform/uio', 'resource', 'rpmsg'],
  ],
  capture: ['base', 'rpmsg', 'link'],
  napi: ['base', 'mu', 'platform', 'platform/uio', 'rpmsg', 'link', 'capture'],
  sim: ['scu/scfw_api.h'],
};

const source: Table = {
  util: [],
  devicetree: [],
  config: ['util', 'devicetree', 'addon (types)'],
  addon: ['util'],
  rpmsg: ['util', 'addon (types)'],
  state: ['util'],
  nxp: [],
  remote: ['util', 'config', 'addon', 'rpmsg', 'state'],
  tty: ['util', 'config', 'addon', 'rpmsg', 'state', 'remote'],
  dbus: ['util', 'addon'],
  'dbus/objects': ['util', 'config', 'addon (types)', 'rpmsg', 'state', 'remote', 'tty', 'dbus'],
  systemd: ['util', 'addon'],
  start: ['addon'],
  daemon: [
    'util',
    'config',
    'addon',
    'rpmsg',
    'state',
    'remote',
    'dbus',
    'dbus/objects',
    'systemd',
    'start',
  ],
  client: ['addon', 'dbus'],
  cli: ['util', 'devicetree', 'config', 'addon', 'dbus', 'nxp'],
  main: [
    'util',
    'config',
    'addon',
    'rpmsg',
    'remote',
    'dbus',
    'dbus/objects',
    'systemd',
    'start',
    'daemon',
  ],
};

/** Each package behind the folders that wrap it. */
const packages: Table = {
  'dbus-next': ['dbus'],
  'smol-toml': ['config'],
  valibot: ['config'],
  pino: ['util'],
  'sd-notify': ['systemd'],
  '.node': ['addon'],
};

/** Says what is wrong with an edge; undefined when the table allows it. */
function objection(table: Table, { file, from, to, header, typeOnly }: Edge): string | undefined {
  const allowed = table[from];
  if (!allowed) return `${file}: the folder ${from} has no row in test/unit/layering.test.ts`;
  if (from === to || allowed.includes(to) || allowed.includes(header)) return undefined;
  if (typeOnly && allowed.includes(`${to} (types)`)) return undefined;
  const list = allowed.length > 0 ? `${allowed.join(', ')} and itself` : 'itself alone';
  return `${file} uses ${header}, but ${from} may use ${list}`;
}

describe('layers', () => {
  it('lets native folders include only what lies below them', () => {
    const edges = nativeEdges();
    expect(edges.length).toBeGreaterThan(10);
    expect(edges.map((edge) => objection(native, edge)).filter(Boolean)).toEqual([]);
  });

  it('lets source folders import only what lies below them', async () => {
    const { folders } = await sourceEdges();
    expect(folders.length).toBeGreaterThan(10);
    expect(folders.map((edge) => objection(source, edge)).filter(Boolean)).toEqual([]);
  });

  it('keeps each package behind the one folder that wraps it', async () => {
    const { externals } = await sourceEdges();
    const strays = externals
      .filter(({ from, to }) => !packages[to]?.includes(from.split('/')[0] ?? ''))
      .map(({ file, to }) => `${file} uses ${to}, which is for ${packages[to] ?? 'no folder'}`);
    expect(strays).toEqual([]);
  });

  it('objects to an edge that no row allows, naming file, edge and rule', () => {
    const edge = {
      file: 'native/memory/a.cc',
      from: 'memory',
      to: 'virtio',
      header: 'virtio/ring_layout.h',
      typeOnly: false,
    };
    expect(objection(native, edge)).toBe(
      'native/memory/a.cc uses virtio/ring_layout.h, but memory may use base and itself',
    );
  });
});
