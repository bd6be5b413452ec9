// SPDX-License-Identifier: Apache-2.0
// The Debian 12 roots of test:e2e and test:vm, kept in .cache/e2e. Needs root, and for another
// architecture its emulator registered (packaging/e2e/namespace.sh).

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { must, root, step } from './run.mjs';

const cache = join(root, '.cache/e2e');
const makeScript = join(root, 'packaging/e2e/make-root.sh');

/** `prefix` and a name for what these files made: another whenever one of them changes. */
export function pathByRecipe(prefix, files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return `${prefix}-${hash.digest('hex').slice(0, 12)}`;
}

/** Removes what is in `folder` besides `wanted`: made by another recipe, or not to its end. */
export function removeStale(folder, wanted) {
  const keep = new Set(wanted.map((path) => basename(path)));
  for (const entry of readdirSync(folder)) {
    if (!keep.has(entry)) rmSync(join(folder, entry), { recursive: true, force: true });
  }
}

/** Where the root of an architecture is kept. */
function rootPath(architecture) {
  const recipe = [makeScript, join(root, 'packaging/dev/debian-sources.sh')];
  return pathByRecipe(join(cache, architecture), recipe);
}

/** Makes the roots that are not there; resolves with their paths, by architecture. */
export async function makeRoots(...architectures) {
  mkdirSync(cache, { recursive: true });
  removeStale(cache, ['amd64', 'arm64'].map(rootPath));
  const paths = {};
  for (const architecture of architectures) {
    const path = rootPath(architecture);
    paths[architecture] = path;
    await step(`Debian 12 root, ${architecture}`, () =>
      must(makeScript, [architecture, path], { timeoutS: 600 }),
    );
  }
  return paths;
}
