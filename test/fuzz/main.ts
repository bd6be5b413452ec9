// SPDX-License-Identifier: Apache-2.0
// Fuzzes device trees for so many seconds: `main.mjs FOLDER SECONDS [SEED]`. A seed alone is one run.

import { boardTrees, fuzzOnce } from './device-tree.ts';

const [folder = '', seconds = '20', only] = process.argv.slice(2);
const boards = boardTrees(folder);
if (only !== undefined) {
  console.log(`seed ${only}: ${fuzzOnce(boards, Number(only))}`);
} else {
  // Another part of the numbers each time; what fails is told by its seed.
  const first = Date.now() % 2 ** 31;
  const runs = { accepted: 0, refused: 0 };
  const end = Date.now() + 1000 * Number(seconds);
  const before = process.memoryUsage().rss;
  for (let seed = first; Date.now() < end; seed++) runs[fuzzOnce(boards, seed)]++;
  const grown = Math.round((process.memoryUsage().rss - before) / 2 ** 20);
  const { accepted, refused } = runs;
  console.log(
    `${accepted + refused} trees: ${accepted} accepted, ${refused} refused; ${grown} MiB`,
  );
}
