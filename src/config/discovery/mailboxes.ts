// SPDX-License-Identifier: Apache-2.0
// The MU of a node that uses mailbox channels: `mboxes` and `mbox-names`, as the kernel's imx-mailbox
// numbers them.

import {
  DeviceTreeError,
  type DeviceTreeNode,
  type Phandles,
  type Reference,
  regions,
  strings,
} from '../../devicetree/index.ts';

/** imx-mailbox: the first cell is the kind of channel, the second its index. */
const kinds: Readonly<Record<string, number>> = { tx: 0, rx: 1, rxdb: 3 };
/** Data words and the doorbell of RPMsg go through these, in every RPMsg-Lite port. */
const rpmsgChannel = 1;

export interface FoundMu {
  readonly node: DeviceTreeNode;
  readonly base: number;
}

/** The MU that `node` is reached through; undefined if it names none. */
export function muOf(node: DeviceTreeNode, phandles: Phandles): FoundMu | undefined {
  const boxes = phandles.references(node, 'mboxes', '#mbox-cells');
  if (boxes === undefined) return undefined;
  checkNames(node, boxes);
  const targets = new Set(boxes.map(({ target }) => target));
  const [mu] = targets;
  if (mu === undefined) return undefined;
  if (targets.size > 1) {
    const paths = [...targets].map(({ path }) => path).join(' and ');
    throw new DeviceTreeError(node.path, 'mboxes', `refers to ${paths}; a remote has one MU`);
  }
  const [registers] = regions(mu) ?? [];
  if (registers === undefined) throw new DeviceTreeError(mu.path, 'reg', 'is missing');
  return { node: mu, base: registers.base };
}

function checkNames(node: DeviceTreeNode, boxes: readonly Reference[]): void {
  const names = strings(node, 'mbox-names') ?? Object.keys(kinds).slice(0, boxes.length);
  if (names.length !== boxes.length) {
    const rule = `has ${names.length} names for ${boxes.length} mailboxes`;
    throw new DeviceTreeError(node.path, 'mbox-names', rule);
  }
  for (const [index, name] of names.entries()) {
    const kind = kinds[name];
    const [saidKind, channel] = boxes[index]?.args ?? [];
    if (kind === undefined) continue;
    if (saidKind === kind && (channel === undefined || channel === rpmsgChannel)) continue;
    const said = boxes[index]?.args.join(' ') ?? '';
    const rule = `says <${said}> for ${name}, which is <${kind} ${rpmsgChannel}> with the RPMsg of every M core`;
    throw new DeviceTreeError(node.path, 'mboxes', rule);
  }
}
