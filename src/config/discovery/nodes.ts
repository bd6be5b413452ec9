// SPDX-License-Identifier: Apache-2.0
// The kinds of nodes that describe a remote, each as keys of a [[remote]] table.

import {
  cell,
  DeviceTreeError,
  type DeviceTreeNode,
  type Phandles,
  regions,
  reservedMemory,
} from '../../devicetree/index.ts';
import type { Origins } from '../origins.ts';
import { socs } from '../socs.ts';
import { FoundRemote } from './found.ts';
import { coreOfNode, socOf } from './identify.ts';
import { type FoundMu, muOf } from './mailboxes.ts';
import { pieceOf, type RemoteMemory, sortMemory, useByName, vringLayout } from './memory.ts';

export interface NodeReader {
  readonly root: DeviceTreeNode;
  /** The tree's, for messages. */
  readonly directory: string;
  readonly origins: Origins;
  readonly phandles: Phandles;
}

/** What a look at one thing gave: a value, or a complaint for later. */
type Outcome<Value> = { readonly value?: Value | undefined; readonly error?: DeviceTreeError };

function attempt<Value>(find: () => Value): Outcome<Value> {
  try {
    return { value: find() };
  } catch (error) {
    if (error instanceof DeviceTreeError) return { error };
    throw error;
  }
}

function unwrap<Value>({ value, error }: Outcome<Value>): Value | undefined {
  if (error !== undefined) throw error;
  return value;
}

/** NXP's binding: `reg` has the vrings, `memory-region` the buffers. */
export function describeByRpmsg(reader: NodeReader, node: DeviceTreeNode): FoundRemote {
  const mu = attempt(() => muOf(node, reader.phandles));
  const vrings = attempt(() => regions(node)?.[0]);
  const remote = begin(reader, node, mu, vrings.value?.base);
  remote.look(['vrings', 'base'], () => {
    const window = unwrap(vrings);
    remote.say(['vrings', 'base'], window?.base, node, 'reg');
    remote.say(['vrings', 'size'], window?.size, node, 'reg');
  });
  remote.look(['vdevs'], () => {
    remote.say(['vdevs'], cell(node, 'vdev-nums'), node, 'vdev-nums');
  });
  remote.look(['buffers', 'base'], () => {
    const [pool] = reader.phandles.references(node, 'memory-region') ?? [];
    if (pool !== undefined) sayBuffers(remote, pieceOf(pool.target));
  });
  remote.look(['partition'], () => {
    remote.say(['partition'], cell(node, 'mub-partition'), node, 'mub-partition');
  });
  return remote;
}

/** remoteproc's: `memory-region` has it all; without a core's node, what /reserved-memory names. */
export function describeByMemory(reader: NodeReader, node: DeviceTreeNode): FoundRemote {
  const isCore = node.has('compatible');
  const mu = attempt(() => (isCore ? muOf(node, reader.phandles) : undefined));
  const memory = attempt(() => sortMemory(memoryOf(reader, node, isCore)));
  const remote = begin(reader, node, mu, memory.value?.vrings[0]?.base);
  remote.look(['vrings', 'base'], () => sayVrings(remote, unwrap(memory), node));
  const buffers = memory.value?.buffers;
  if (buffers !== undefined) sayBuffers(remote, buffers);
  // Trees reserve it for firmware without one, too: what is there and is none holds nothing up.
  const table = memory.value?.resourceTable;
  if (table !== undefined) sayPlace(remote, 'resource_table', table);
  return remote;
}

function memoryOf(
  { root, phandles }: NodeReader,
  node: DeviceTreeNode,
  isCore: boolean,
): DeviceTreeNode[] {
  if (!isCore) return reservedMemory(root).filter((one) => useByName(one) !== undefined);
  return (phandles.references(node, 'memory-region') ?? []).map(({ target }) => target);
}

/** A remote with its name, SoC, core and MU. */
function begin(
  reader: NodeReader,
  node: DeviceTreeNode,
  mu: Outcome<FoundMu | undefined>,
  vringBase: number | undefined,
): FoundRemote {
  const soc = socOf(reader.root, node);
  const known = soc === undefined ? undefined : socs[soc];
  if (soc === undefined || known === undefined) throw unknownSoc(reader.root);
  const name = coreOfNode(known, node, { muBase: mu.value?.base, vringBase });
  const remote = new FoundRemote(name, node, reader.directory, reader.origins);
  const property = node.has('compatible') ? 'compatible' : '';
  remote.say(['name'], name, node, property);
  remote.say(['platform'], 'uio', node, property);
  remote.say(['soc'], soc, reader.root, 'compatible');
  remote.say(['core'], name, node, property);
  remote.look(['mu_base'], () => {
    const found = unwrap(mu);
    if (found !== undefined) remote.say(['mu_base'], found.base, found.node, 'reg');
  });
  return remote;
}

function unknownSoc(root: DeviceTreeNode): DeviceTreeError {
  const rule = `names no SoC that is known; it is one of ${Object.keys(socs).join(', ')}`;
  return new DeviceTreeError(root.path, 'compatible', rule);
}

function sayVrings(
  remote: FoundRemote,
  memory: RemoteMemory | undefined,
  node: DeviceTreeNode,
): void {
  const vrings = memory?.vrings ?? [];
  const { vdevs, base, stride, vring1Offset } = vringLayout(vrings, node);
  const from = (index: number) => vrings[index]?.node ?? node;
  remote.say(['vdevs'], vdevs, node, node.has('memory-region') ? 'memory-region' : '');
  remote.say(['vrings', 'base'], base, from(0), 'reg');
  remote.say(['vrings', 'size'], vdevs * stride, from(vrings.length - 1), 'reg');
  remote.say(['vrings', 'stride'], stride, from(vdevs > 1 ? 2 : 1), 'reg');
  remote.say(['vrings', 'vring1_offset'], vring1Offset, from(1), 'reg');
}

function sayBuffers(remote: FoundRemote, piece: ReturnType<typeof pieceOf>): void {
  sayPlace(remote, 'buffers', piece);
}

function sayPlace(
  remote: FoundRemote,
  key: 'buffers' | 'resource_table',
  { base, size, node }: ReturnType<typeof pieceOf>,
): void {
  remote.say([key, 'base'], base, node, 'reg');
  remote.say([key, 'size'], size, node, 'reg');
}
