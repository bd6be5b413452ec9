// SPDX-License-Identifier: Apache-2.0
// The integration tests for the emulated machine: each bundled into one file, programs of arm64, and
// vitest as the lock file has it, with the binaries that it has for that processor.

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { interfacePlugins } from './build.mjs';
import { pathByRecipe } from './e2e-roots.mjs';
import { must, root, step } from './run.mjs';

/** Those that have a board: the others would show nothing new there. */
const suite = ['addon-life', 'stream-blocked', 'cli-sim'];

/** Where the machine has them; test/vm/integration.test.ts runs them there. */
const place = '/usr/src/rpmsgd';

/** What tests start and load of what is installed (npm run install-tree). */
const installed = ['/usr/bin/rpmsg-soc', '/usr/bin/rpmsg-firmware', '/usr/lib/rpmsgd/rpmsgd.node'];

/** C helpers of test/support: the machine has no compiler. */
const helpers = ['stream-pinger'];

const lockFile = join(root, 'package-lock.json');

/** What the lock file has, by its place: `node_modules/vite/node_modules/esbuild`. */
function locked() {
  return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
}

/** Where the package at `path` finds another: in its own node_modules, or in one further out. */
function resolved(packages, path, name) {
  const own = `${path}/node_modules/${name}`;
  if (own in packages) return own;
  const end = path.lastIndexOf('/node_modules/');
  return end < 0 ? `node_modules/${name}` : resolved(packages, path.slice(0, end), name);
}

/** The places of vitest and of everything that it needs, binaries for arm64 among it. */
function vitestPlaces() {
  const packages = locked();
  const places = new Set();
  const waiting = ['node_modules/vitest'];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (places.has(path)) continue;
    places.add(path);
    const { dependencies = {}, optionalDependencies = {} } = packages[path];
    const own = Object.keys(optionalDependencies).filter((name) => isBinary(name));
    for (const name of [...Object.keys(dependencies), ...own]) {
      waiting.push(resolved(packages, path, name));
    }
  }
  return [...places];
}

function isBinary(path) {
  return /(?:linux-arm64|linux-arm64-gnu)$/.test(path);
}

/** Where the binaries are kept below `cache`. */
export function binariesPath(cache) {
  return pathByRecipe(join(cache, 'binaries'), [lockFile]);
}

/** Fetches the packages with arm64's binaries unless they are in the cache. */
export async function fetchBinaries(cache) {
  const target = binariesPath(cache);
  if (existsSync(target)) return;
  await step('vitest for arm64', async () => {
    const scratch = mkdtempSync(join(cache, 'making.'));
    try {
      for (const path of vitestPlaces().filter(isBinary)) await fetchPackage(path, scratch);
      renameSync(join(scratch, 'node_modules'), target);
    } finally {
      rmSync(scratch, { recursive: true });
    }
  });
}

/** Unpacks what the lock file has at `path` into `folder`, there. */
async function fetchPackage(path, folder) {
  const { version, integrity } = locked()[path];
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const which = `${name}@${version}`;
  const args = ['pack', '--json', '--pack-destination', folder, which];
  const { output } = await must('npm', args, { quiet: true, timeoutS: 120 });
  const [packed] = JSON.parse(output.slice(output.indexOf('[')));
  if (packed.integrity !== integrity) {
    throw new Error(`${which} is ${packed.integrity}, package-lock.json says ${integrity}`);
  }
  const target = join(folder, path);
  mkdirSync(target, { recursive: true });
  // Old versions of npm do not name the archive as they store it.
  const archive = join(folder, packed.filename.replace('@', '').replace('/', '-'));
  await must('tar', ['-xzf', archive, '-C', target, '--strip-components=1']);
}

/** Puts everything into the file system at `tree`, with the binaries in `cache`. */
export async function installSuite(tree, cache) {
  await step('integration tests', async () => {
    const at = (path) => join(tree, place, path);
    await bundleTests(at('test'));
    for (const path of vitestPlaces().filter((each) => !isBinary(each)))
      copyPackage(path, at(path));
    cpSync(binariesPath(cache), at('node_modules'), { recursive: true });
    mkdirSync(at('build/helpers'), { recursive: true });
    for (const path of installed) symlinkSync(path, at(`build/${basename(path)}`));
    for (const name of helpers) {
      const words = ['-std=gnu11', '-O1', '-o', at(`build/helpers/${name}`)];
      await must('aarch64-linux-gnu-gcc', [...words, join(root, `test/support/${name}.c`)]);
    }
  });
}

/** Loading some hundred sources takes an emulated vitest longer than the tests themselves. */
async function bundleTests(folder) {
  const esbuild = await import('esbuild');
  // Packages of CommonJS ask for Node's own modules.
  const require = `import { createRequire as requireOf } from 'node:module';
const require = requireOf(import.meta.url);`;
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: suite.map((name) => `test/integration/${name}.test.ts`),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node18',
    external: ['vitest', '*.node', 'x11', 'usocket', 'sd-notify'],
    banner: { js: require },
    plugins: await interfacePlugins(),
    logLevel: 'warning',
  });
}

/** Without what lies in a package's own node_modules, which has places of its own. */
function copyPackage(path, to) {
  const from = join(root, path);
  mkdirSync(dirname(to), { recursive: true });
  const filter = (file) => !file.slice(from.length).startsWith('/node_modules');
  cpSync(from, to, { recursive: true, filter });
}
