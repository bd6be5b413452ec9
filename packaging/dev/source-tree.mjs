// SPDX-License-Identifier: Apache-2.0
// The tree of the Debian source package: the sources, and of npm's packages what the build needs,
// exactly as the lock file has them.

import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { root, run } from './run.mjs';

/** What the build itself runs or includes, beside what the product depends on. */
const buildPackages = ['esbuild', 'fast-xml-parser', 'node-api-headers'];

/** The sources: what git would commit, or every file of an unpacked release. */
async function sourceFiles() {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard'];
  const listed = await run('git', args, { quiet: true });
  const kept = (path) => path !== '' && !/^(node_modules|build|dist|debian|\.git)(\/|$)/.test(path);
  if (listed.code === 0) return listed.output.split('\n').filter(kept);
  return filesBelow('').filter(kept);
}

function filesBelow(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (/^(node_modules|build|dist|\.git)$/.test(path)) return [];
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

/** Folders of node_modules that the build needs, as the lock file resolves them. */
export function vendoredPackages(lock) {
  const { packages } = lock;
  const found = new Set();
  const visit = (name, from) => {
    const path = locate(packages, name, from);
    if (path === undefined || found.has(path) || packages[path].link) return;
    found.add(path);
    const { dependencies, optionalDependencies } = packages[path];
    for (const inner of Object.keys({ ...dependencies, ...optionalDependencies })) {
      visit(inner, path);
    }
  };
  for (const name of [...Object.keys(packages[''].dependencies), ...buildPackages]) visit(name, '');
  return [...found].sort();
}

/** As Node resolves `name` from within the package at `from`. */
function locate(packages, name, from) {
  for (
    let folder = from;
    ;
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))
  ) {
    const path = join(folder, 'node_modules', name);
    if (packages[path]) return path;
    if (folder === '') return undefined;
  }
}

/** Second copies of other files, for browsers and debuggers. */
const generated = /\.(min\.js|map)$/;

/** Copies those that are there (a package for another system is not), exactly as locked. */
function vendor(tree) {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  for (const path of vendoredPackages(lock)) {
    const manifest = readManifest(join(root, path));
    if (manifest === undefined && lock.packages[path].optional) continue;
    const wanted = lock.packages[path].version;
    if (manifest?.version !== wanted) {
      throw new Error(
        `${path} is ${manifest?.version ?? 'missing'}, locked is ${wanted}: run npm ci`,
      );
    }
    const nested = join(root, path, 'node_modules');
    cpSync(join(root, path), join(tree, path), {
      recursive: true,
      filter: (from) => !from.startsWith(nested) && !generated.test(from),
    });
  }
}

function readManifest(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  } catch {
    return undefined;
  }
}

/** The newest entry of debian/changelog once more, under a version with the suffix. */
function addSuffix(changelog, suffix) {
  const text = readFileSync(changelog, 'utf8');
  const [entry] = text.match(/^[\s\S]*?\n -- .*\n/);
  const renamed = entry.replace(/\(([^)]+)\)/, (_, version) => `(${version}${suffix})`);
  writeFileSync(changelog, `${renamed}\n${text}`);
}

/** Makes the tree of a source package below `folder`, which is emptied; resolves with its path. */
export async function makeSourceTree(folder, suffix = '') {
  rmSync(folder, { recursive: true, force: true });
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const tree = join(folder, `rpmsgd-${version}`);
  for (const file of await sourceFiles()) {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    copyFileSync(join(root, file), join(tree, file));
  }
  cpSync(join(tree, 'packaging/debian'), join(tree, 'debian'), { recursive: true });
  if (suffix) addSuffix(join(tree, 'debian/changelog'), suffix);
  vendor(tree);
  return tree;
}
