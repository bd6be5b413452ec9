// SPDX-License-Identifier: Apache-2.0
// Remotes that a device tree describes: nodes of NXP's RPMsg binding, cores of remoteproc, or
// remoteproc's reserved memory by itself where a SoC has one core only.

import {
  DeviceTreeError,
  type DeviceTreeNode,
  devicesOf,
  isCompatible,
  isEnabled,
  Phandles,
  regions,
  reservedMemory,
} from '../../devicetree/index.ts';
import type { Origins } from '../origins.ts';
import type { Problem } from '../problems.ts';
import { socs } from '../socs.ts';
import { shareBuffers } from './buffers.ts';
import { type FoundRemote, problemOf } from './found.ts';
import { remoteprocCompatibles, rpmsgCompatibles } from './identify.ts';
import { useByName } from './memory.ts';
import { describeByMemory, describeByRpmsg, type NodeReader } from './nodes.ts';

export interface Discovery {
  readonly remotes: readonly FoundRemote[];
  /** What is wrong with the tree as such, or with a node of which not even the core is clear. */
  readonly problems: readonly Problem[];
}

/** What is looked for, for people. */
export const lookedFor =
  'an enabled node that is compatible with fsl,<soc>-rpmsg (as fsl,imx8qxp-rpmsg) or with the remoteproc of a SoC (as fsl,imx8mm-cm4), or reserved memory named vdev0vring0, vdev0vring1 and vdev0buffer';

/**
 * `directory` is the tree's, for messages; where each value comes from is noted in `origins`. What
 * is wrong is told, not thrown.
 */
export function discover(root: DeviceTreeNode, directory: string, origins: Origins): Discovery {
  const problems: Problem[] = [];
  const remotes: FoundRemote[] = [];
  const attempt = (find: () => void) => {
    try {
      find();
    } catch (error) {
      if (!(error instanceof DeviceTreeError)) throw error;
      problems.push(problemOf(directory, error));
    }
  };
  attempt(() => {
    const reader: NodeReader = { root, directory, origins, phandles: new Phandles(root) };
    for (const [node, describe] of candidates(root)) {
      attempt(() => remotes.push(unique(describe(reader, node), remotes)));
    }
    shareBuffers(remotes);
    findScuMu(root, remotes);
  });
  return { remotes, problems };
}

type Describe = (reader: NodeReader, node: DeviceTreeNode) => FoundRemote;

/** The nodes that describe remotes, of one kind alone: whoever wrote one kind means the same cores. */
function candidates(root: DeviceTreeNode): (readonly [DeviceTreeNode, Describe])[] {
  const devices = [...devicesOf(root)];
  const rpmsg = devices.filter((node) => isCompatible(node, rpmsgCompatibles) && isEnabled(node));
  if (rpmsg.length > 0) return rpmsg.map((node) => [node, describeByRpmsg]);
  const cores = devices.filter((node) => {
    return (
      isCompatible(node, remoteprocCompatibles) && isEnabled(node) && node.has('memory-region')
    );
  });
  if (cores.length > 0) return cores.map((node) => [node, describeByMemory]);
  const memory = reservedMemory(root).find((node) => useByName(node) === 'vring');
  return memory?.parent === undefined ? [] : [[memory.parent, describeByMemory]];
}

function unique(found: FoundRemote, others: readonly FoundRemote[]): FoundRemote {
  const other = others.find(({ name }) => name === found.name);
  if (other === undefined) return found;
  const rule = `describes ${found.name}, as ${other.node.path} does; disable one of them`;
  throw new DeviceTreeError(found.node.path, '', rule);
}

/** A MU that leads to SCFW is ours where the tree gives it to UIO. */
function findScuMu(root: DeviceTreeNode, remotes: readonly FoundRemote[]): void {
  for (const remote of remotes) {
    const scuMus = socs[String(remote.table['soc'])]?.scuMus ?? [];
    const free = scuMus.filter(({ isKernels }) => !isKernels).map(({ base }) => base);
    if (free.length === 0) continue;
    for (const node of devicesOf(root)) {
      if (!isCompatible(node, ['generic-uio']) || !isEnabled(node)) continue;
      const [registers] = regions(node) ?? [];
      if (registers === undefined || !free.includes(registers.base)) continue;
      remote.say(['scu_mu_base'], registers.base, node, 'reg');
      break;
    }
  }
}
