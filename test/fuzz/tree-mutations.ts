// SPDX-License-Identifier: Apache-2.0
// Changes to device trees that hurt: the kind that flash, boot loaders and typing errors make.

import type { MutableNode } from '../support/device-trees.ts';

export type Random = (below: number) => number;

/** Cells that stand at the edges of what is legal somewhere. */
const cells = [
  0, 1, 2, 3, 4, 7, 8, 9, 16, 17, 31, 32, 0x1000, 0x8000, 0x10000, 0x30aa0000, 0x5d1c0000,
  0x5d200000, 0x7fffffff, 0x80000000, 0x90000000, 0xfffff000, 0xfffffffe, 0xffffffff,
];

/** A node with its name and its parent. */
interface Place {
  readonly parent: MutableNode;
  readonly name: string;
  readonly node: MutableNode;
}

function places(parent: MutableNode): Place[] {
  return Object.entries(parent.children).flatMap(([name, node]) => [
    { parent, name, node },
    ...places(node),
  ]);
}

export function copyTree({ properties, children }: MutableNode): MutableNode {
  const copies = Object.entries(children).map(([name, child]) => [name, copyTree(child)]);
  return { properties: { ...properties }, children: Object.fromEntries(copies) };
}

type Mutation = (root: MutableNode, random: Random) => void;

function pick<Item>(items: readonly Item[], random: Random): Item | undefined {
  return items[random(items.length)];
}

/** Replaces the value of some property by what `change` makes of it. */
function changing(change: (value: Buffer, random: Random, root: MutableNode) => Uint8Array) {
  return (root: MutableNode, random: Random): void => {
    const nodes = [root, ...places(root).map(({ node }) => node)];
    const node = pick(nodes, random);
    const name = pick(Object.keys(node?.properties ?? {}), random);
    const value = name === undefined ? undefined : node?.properties[name];
    if (node === undefined || name === undefined || value === undefined) return;
    node.properties[name] = change(Buffer.from(value), random, root);
  };
}

const flipBit = changing((value, random) => {
  const at = random(value.length || 1);
  if (value.length > 0) value[at] = (value[at] ?? 0) ^ (1 << random(8));
  return value;
});

const setCell = changing((value, random) => {
  const count = Math.floor(value.length / 4);
  if (count > 0) value.writeUInt32BE(pick(cells, random) ?? 0, 4 * random(count));
  return value;
});

const cut = changing((value, random) => value.subarray(0, random(value.length + 1)));

const lengthen = changing((value, random) => {
  const more = Buffer.from(Array.from({ length: 1 + random(12) }, () => random(256)));
  return Buffer.concat([value, more]);
});

const fill = changing((value, random) => Buffer.alloc(random(2) * value.length, random(256)));

const takeAnother = changing((_value, random, root) => {
  const all = places(root).flatMap(({ node }) => Object.values(node.properties));
  return pick(all, random) ?? Buffer.alloc(0);
});

const huge = changing((_value, random) => Buffer.alloc(0x10000 + random(2), random(256)));

const dropProperty: Mutation = (root, random) => {
  const node = pick([root, ...places(root).map((place) => place.node)], random);
  const name = pick(Object.keys(node?.properties ?? {}), random);
  if (node !== undefined && name !== undefined) delete node.properties[name];
};

const addProperty: Mutation = (root, random) => {
  const all = places(root);
  const node = pick(all, random)?.node;
  const [name, value] =
    pick(Object.entries(pick(all, random)?.node.properties ?? {}), random) ?? [];
  if (node !== undefined && name !== undefined && value !== undefined) {
    node.properties[name] = value;
  }
};

const dropNode: Mutation = (root, random) => {
  const place = pick(places(root), random);
  if (place !== undefined) delete place.parent.children[place.name];
};

const repeatNode: Mutation = (root, random) => {
  const place = pick(places(root), random);
  const into = pick([root, ...places(root).map(({ node }) => node)], random);
  if (place === undefined || into === undefined) return;
  const names = [`${place.name}0`, 'vdev1vring0@1', 'vdev0buffer', 'memory@2', `${place.name}\x1b`];
  into.children[pick(names, random) ?? ''] = copyTree(place.node);
};

const mutations: readonly Mutation[] = [
  flipBit,
  flipBit,
  setCell,
  setCell,
  setCell,
  cut,
  lengthen,
  fill,
  takeAnother,
  huge,
  dropProperty,
  addProperty,
  dropNode,
  repeatNode,
];

/** Changes a tree in one to six places. */
export function mutate(root: MutableNode, random: Random): void {
  for (let left = 1 + random(6); left > 0; left--) pick(mutations, random)?.(root, random);
}
