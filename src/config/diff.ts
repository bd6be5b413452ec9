// SPDX-License-Identifier: Apache-2.0
// What a reload would change: what may be applied to a running daemon, and what needs a restart.

import { snakeCase } from './load.ts';
import { printValue } from './problems.ts';
import type { Config, RemoteConfig } from './types.ts';

export interface ConfigDiff {
  /** Keys that differ and may be applied. */
  readonly applied: readonly string[];
  /** One sentence for each key that differs and may not. A reload is refused if there is one. */
  readonly refused: readonly string[];
}

type Leaves = Map<string, unknown>;

/** Every scalar below `value` by its key as a file spells it. */
function leaves(value: object, prefix: string, into: Leaves = new Map()): Leaves {
  for (const [name, member] of Object.entries(value)) {
    const key = `${prefix}.${fileKey(name)}`;
    if (typeof member === 'object' && member !== null && !Array.isArray(member)) {
      leaves(member, key, into);
    } else {
      into.set(key, member);
    }
  }
  return into;
}

const spelling: Readonly<Record<string, string>> = {
  kind: 'platform',
  vringBase: 'vrings.base',
  vringStride: 'vrings.stride',
  vring1Offset: 'vrings.vring1_offset',
  bufferBase: 'buffers.base',
  bufferStride: 'buffers.stride',
  tableBase: 'resource_table.base',
  tableBytes: 'resource_table.size',
};

function fileKey(name: string): string {
  return spelling[name] ?? snakeCase(name);
}

function differing(before: Leaves, after: Leaves): string[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].filter(
    (key) => JSON.stringify(before.get(key)) !== JSON.stringify(after.get(key)),
  );
}

/** What of a remote needs a restart, by key. */
function fixed(remote: RemoteConfig): Leaves {
  const { platform, name: _, partition: _number, losslessVdevs: _bits, ...memory } = remote.setup;
  const { partition, lossless } = remote;
  return leaves(
    {
      partition,
      lossless,
      ...platform,
      ...memory,
    },
    `remote "${remote.name}"`,
  );
}

function refusals(before: Leaves, after: Leaves): string[] {
  return differing(before, after).map((key) => {
    const name = key.slice(key.lastIndexOf('.') + 1);
    const print = (value: unknown) => printValue(name, value);
    return `${key} cannot change from ${print(before.get(key))} to ${print(after.get(key))} while the daemon runs; restart it`;
  });
}

function diffRemotes(before: Config, after: Config): ConfigDiff {
  const applied: string[] = [];
  const refused: string[] = [];
  const next = new Map(after.remotes.map((remote) => [remote.name, remote]));
  for (const remote of before.remotes) {
    const other = next.get(remote.name);
    next.delete(remote.name);
    if (other === undefined) {
      refused.push(`remote "${remote.name}" cannot be removed while the daemon runs; restart it`);
      continue;
    }
    refused.push(...refusals(fixed(remote), fixed(other)));
    if (JSON.stringify(remote.endpoints) !== JSON.stringify(other.endpoints)) {
      applied.push(`remote "${remote.name}".endpoint`);
    }
  }
  for (const name of next.keys()) {
    refused.push(`remote "${name}" cannot be added while the daemon runs; restart it`);
  }
  return { applied, refused };
}

export function diffConfig(before: Config, after: Config): ConfigDiff {
  const remotes = diffRemotes(before, after);
  const link = refusals(leaves(before.link, 'link'), leaves(after.link, 'link'));
  const applied = [
    ...differing(leaves(before.limits, 'limits'), leaves(after.limits, 'limits')),
    ...differing(leaves(before.log, 'log'), leaves(after.log, 'log')),
    ...(JSON.stringify(before.channels) === JSON.stringify(after.channels) ? [] : ['channel']),
    ...remotes.applied,
  ];
  return { applied, refused: [...link, ...remotes.refused] };
}
