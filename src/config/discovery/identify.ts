// SPDX-License-Identifier: Apache-2.0
// Which SoC a device tree is of, and which of its cores a node describes.

import { cell, DeviceTreeError, type DeviceTreeNode, strings } from '../../devicetree/index.ts';
import { type Soc, socs } from '../socs.ts';

/** Both kinds of nodes that describe a core. */
export const rpmsgCompatibles = Object.keys(socs).map((soc) => `fsl,${soc}-rpmsg`);
export const remoteprocCompatibles = Object.entries(socs).flatMap(([name, { remoteproc }]) => [
  `fsl,${name}-${remoteproc}`,
  `fsl,${name}-${remoteproc}-mmio`,
]);

/** The board's own word comes first: kernels reuse the compatible of an older SoC for a node. */
export function socOf(root: DeviceTreeNode, node: DeviceTreeNode): string | undefined {
  const names = Object.keys(socs);
  const board = strings(root, 'compatible') ?? [];
  const ofBoard = names.find((name) => board.includes(`fsl,${name}`));
  if (ofBoard !== undefined) return ofBoard;
  const own = strings(node, 'compatible') ?? [];
  return names.find((name) => own.some((one) => one.startsWith(`fsl,${name}-`)));
}

/** The core that a node describes, by what it says of it. */
export function coreOfNode(
  soc: Soc,
  node: DeviceTreeNode,
  { muBase, vringBase }: { muBase: number | undefined; vringBase: number | undefined },
): string {
  const cores = Object.entries(soc.cores);
  const [only, other] = cores;
  if (only !== undefined && other === undefined) return only[0];
  const index = cell(node, 'multi-core-id');
  const byIndex = index === undefined ? undefined : cores[index];
  if (byIndex !== undefined) return byIndex[0];
  const found =
    cores.find(([, core]) => core.muBase !== undefined && core.muBase === muBase) ??
    cores.find(([, core]) => core.vringBase === vringBase);
  if (found !== undefined) return found[0];
  const names = cores.map(([name]) => name).join(' or ');
  const rule = `does not tell whether this is ${names}: neither the MU nor the vrings are those of one`;
  throw new DeviceTreeError(node.path, 'mboxes', rule);
}
