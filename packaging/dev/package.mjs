// SPDX-License-Identifier: Apache-2.0
// `npm run package`: Debian packages for amd64 and arm64, into build/packages. They are built in a
// copy of the sources that has what npm would fetch in it, without a network.

import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { command, isMain, must, root, run, step } from './run.mjs';
import { setup } from './setup.mjs';

const usage = `Usage: npm run package -- [options]
Builds the Debian packages rpmsgd and rpmsgd-simulator.

  --arch ARCH      amd64 or arm64 (may be repeated; default both)
  --suffix SUFFIX  appended to the version, as ~test1
  --out DIR        where the packages go (default build/packages)
  --work DIR       where to build, and to leave what was built (default: a folder of build/ that is
                   removed)
  --no-lint        do not run lintian
  --help           print this and exit
`;

const architectures = ['amd64', 'arm64'];
/** What the build itself runs or includes, beside what the product depends on. */
const buildPackages = ['esbuild', 'fast-xml-parser', 'node-api-headers'];

const options = {
  arch: { type: 'string', multiple: true, default: architectures },
  suffix: { type: 'string', default: '' },
  out: { type: 'string', default: join(root, 'build/packages') },
  work: { type: 'string' },
  'no-lint': { type: 'boolean' },
  help: { type: 'boolean' },
};

function parse(args) {
  const { values } = parseArgs({ args, options, strict: true });
  const unknown = values.arch.find((arch) => !architectures.includes(arch));
  if (unknown) throw new Error(`--arch ${unknown} must be one of ${architectures.join(', ')}`);
  return { ...values, out: resolve(values.out), work: values.work && resolve(values.work) };
}

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
      filter: (from) => !from.startsWith(nested),
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

/** Makes a source tree as dpkg-buildpackage wants it; resolves with its path. */
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

/** Words before a command that take its network away; any user may do that, where the kernel lets. */
function withoutNetwork() {
  return process.getuid() === 0 ? ['unshare', '-n'] : ['unshare', '-rn'];
}

/** Builds for one architecture below `work`; resolves with the paths of what was made. */
async function buildPackage(arch, { suffix, out }, work) {
  const folder = join(work, arch);
  const tree = await step(`source tree ${arch}`, () => makeSourceTree(folder, suffix));
  const jobs = availableParallelism?.() ?? cpus().length;
  const build = ['dpkg-buildpackage', '-b', '-us', '-uc', `-a${arch}`, `-j${jobs}`];
  const [first, ...rest] = [...withoutNetwork(), ...build];
  const env = { DEB_BUILD_OPTIONS: `parallel=${jobs}` };
  await step(`dpkg-buildpackage ${arch}`, () =>
    must(first, rest, { cwd: tree, env, quiet: true, timeoutS: 900 }),
  );
  mkdirSync(out, { recursive: true });
  const made = readdirSync(folder).filter((name) => /\.(deb|changes|buildinfo)$/.test(name));
  for (const name of made) copyFileSync(join(folder, name), join(out, name));
  return made.map((name) => join(out, name));
}

/** Where to build: said outright, else a folder of this run alone, since two may run at a time. */
async function withWorkFolder(given, work) {
  if (given !== undefined) return await work(given);
  mkdirSync(join(root, 'build'), { recursive: true });
  const folder = mkdtempSync(join(root, 'build/package-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function lint(changes) {
  await step(`lintian ${basename(changes)}`, () =>
    must('lintian', [
      '--fail-on',
      'error,warning',
      '--tag-display-limit',
      '0',
      '--allow-root',
      changes,
    ]),
  );
}

async function main(args) {
  const given = parse(args);
  if (given.help) {
    process.stdout.write(usage);
    return;
  }
  await setup('package');
  for (const arch of given.arch) {
    const made = await withWorkFolder(given.work, (work) => buildPackage(arch, given, work));
    if (!given['no-lint']) await lint(made.find((path) => path.endsWith('.changes')));
    for (const path of made.filter((name) => name.endsWith('.deb'))) console.log(path);
  }
}

if (isMain(import.meta.url)) command(main);
