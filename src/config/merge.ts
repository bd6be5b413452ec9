// SPDX-License-Identifier: Apache-2.0
// Lays one file over another: tables merge, lists of named tables merge by name, anything else of
// the upper file replaces what was there.

import { isTable, type Origins, type Table } from './origins.ts';
import { type Problem, printValue } from './problems.ts';

/** The lists whose items are told apart by a name, and by which of their keys. */
const identity: Readonly<Record<string, readonly string[]>> = {
  remote: ['name'],
  channel: ['name'],
  endpoint: ['vdev', 'name'],
};

function isTableList(value: unknown): value is Table[] {
  return Array.isArray(value) && value.every(isTable);
}

/** Merges `upper` into `lower`, in place. Yields complaints about names given twice in one file. */
export function mergeInto(lower: Table, upper: Table, origins: Origins): Problem[] {
  const problems: Problem[] = [];
  for (const [key, value] of Object.entries(upper)) {
    const below = lower[key];
    const keys = identity[key];
    if (keys !== undefined && isTableList(value)) {
      const list = isTableList(below) ? below : [];
      lower[key] = list;
      problems.push(...mergeList(list, value, keys, origins));
    } else if (isTable(value) && isTable(below)) {
      problems.push(...mergeInto(below, value, origins));
    } else if (isTable(value)) {
      const copy: Table = {};
      lower[key] = copy;
      problems.push(...mergeInto(copy, value, origins));
    } else {
      lower[key] = value;
    }
    const origin = origins.get(upper, key);
    if (origin !== undefined) origins.set(lower, key, origin);
  }
  return problems;
}

function mergeList(
  lower: Table[],
  upper: readonly Table[],
  keys: readonly string[],
  origins: Origins,
): Problem[] {
  const problems: Problem[] = [];
  const inThisFile = new Map<string, number>();
  for (const [index, item] of upper.entries()) {
    const id = JSON.stringify(keys.map((key) => item[key]));
    const named = keys.every((key) => item[key] !== undefined);
    const first = named ? inThisFile.get(id) : undefined;
    if (first !== undefined) problems.push(duplicate(upper, index, first, keys, origins));
    inThisFile.set(id, index);
    const target = lower.find((one) => named && same(one, item, keys)) ?? append(lower);
    problems.push(...mergeInto(target, item, origins));
    const origin = origins.get(upper as Table[], index);
    const at = lower.indexOf(target);
    if (origin !== undefined && origins.get(lower, at) === undefined)
      origins.set(lower, at, origin);
  }
  return problems;
}

function same(a: Table, b: Table, keys: readonly string[]): boolean {
  return keys.every((key) => a[key] === b[key]);
}

function append(list: Table[]): Table {
  const item: Table = {};
  list.push(item);
  return item;
}

function duplicate(
  list: readonly Table[],
  index: number,
  first: number,
  keys: readonly string[],
  origins: Origins,
): Problem {
  const item = list[index] ?? {};
  const origin = origins.find(list as Table[], [index, 'name'], '');
  const earlier = origins.find(list as Table[], [first], '');
  const what = keys.length > 1 ? 'on the same vdev ' : '';
  return {
    ...origin,
    value: printValue('name', item['name']),
    rule: `${earlier.key} ${what}has this name already; give one of them another name`,
  };
}
