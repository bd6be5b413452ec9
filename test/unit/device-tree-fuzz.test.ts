// SPDX-License-Identifier: Apache-2.0
// A bounded run of the fuzzer over device trees; packaging/dev/fuzz.mjs runs it for longer.

import { join } from 'node:path';
import { expect, it } from 'vitest';
import { boardTrees, fuzzOnce } from '../fuzz/device-tree.ts';
import { treesFolder } from '../support/device-trees.ts';
import { tenth } from '../support/soak.ts';

it('makes of any tree a configuration that keeps the rules or a refusal that names places', () => {
  const boards = boardTrees(join(treesFolder, 'boards'));
  const runs = { accepted: 0, refused: 0 };
  for (let seed = 1; seed <= tenth(10_000); seed++) runs[fuzzOnce(boards, seed)]++;
  // Both ends are reached, or the mutations are too mild or too wild to show anything.
  expect(runs.accepted).toBeGreaterThan(tenth(10_000) / 20);
  expect(runs.refused).toBeGreaterThan(tenth(10_000) / 20);
});
