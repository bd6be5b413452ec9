// SPDX-License-Identifier: Apache-2.0
// `npm run package`: the Debian source package and, built from it without a network, packages for
// amd64 and arm64, into build/packages. `--check` builds them again elsewhere and compares.

import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { otherCircumstances, sameBytes } from './reproduce.mjs';
import { command, isMain, must, root, step } from './run.mjs';
import { setup } from './setup.mjs';
import { makeSourceTree } from './source-tree.mjs';

const usage = `Usage: npm run package -- [options]
Builds the Debian packages rpmsgd and rpmsgd-simulator, and their source package.

  --arch ARCH      amd64 or arm64 (may be repeated; default both)
  --check ARCH     build for ARCH twice, the second time in another directory with another time zone,
                   locale, umask, date, host name and -j, and compare the bytes (may be repeated)
  --suffix SUFFIX  appended to the version, as ~test1
  --out DIR        where the packages go (default build/packages)
  --work DIR       where to build, and to leave what was built (default: a folder of build/ that is
                   removed)
  --no-lint        do not run lintian
  --help           print this and exit
`;

const architectures = ['amd64', 'arm64'];

const options = {
  arch: { type: 'string', multiple: true, default: architectures },
  check: { type: 'string', multiple: true, default: [] },
  suffix: { type: 'string', default: '' },
  out: { type: 'string', default: join(root, 'build/packages') },
  work: { type: 'string' },
  'no-lint': { type: 'boolean' },
  help: { type: 'boolean' },
};

function oneOf(option, value, values) {
  if (!values.includes(value))
    throw new Error(`--${option} ${value} must be one of ${values.join(', ')}`);
}

function parse(args) {
  const { values } = parseArgs({ args, options, strict: true });
  for (const arch of values.arch) oneOf('arch', arch, architectures);
  for (const arch of values.check) oneOf('check', arch, values.arch);
  return { ...values, out: resolve(values.out), work: values.work && resolve(values.work) };
}

/** The source package, below `folder`; resolves with the path of its .dsc. */
async function buildSource(suffix, folder) {
  const tree = await makeSourceTree(folder, suffix);
  // Its default packs a little better and takes five times as long.
  const build = ['--compression=gzip', '--build', basename(tree)];
  await must('dpkg-source', build, { cwd: folder, quiet: true });
  return join(folder, filesOf(folder, /\.dsc$/)[0]);
}

function filesOf(folder, pattern) {
  return readdirSync(folder).filter((name) => pattern.test(name));
}

const jobs = availableParallelism?.() ?? cpus().length;

/** As it is built here. */
const hereAndNow = { jobs, env: {}, words: (withoutNetwork) => withoutNetwork };

/** Words before a command that take its network away; any user may do that, where the kernel lets. */
const withoutNetwork = process.getuid() === 0 ? ['unshare', '-n'] : ['unshare', '-rn'];

/** Builds a source package for one architecture in `folder`; resolves with the names of the files. */
async function buildBinaries(dsc, arch, folder, { jobs, env, words }) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const [first, ...rest] = words(withoutNetwork);
  const inside = (line, cwd) =>
    must(first, [...rest, ...line], { cwd, env, quiet: true, timeoutS: 900 });
  await inside(['dpkg-source', '--no-check', '--extract', dsc, 'tree'], folder);
  const build = ['dpkg-buildpackage', '-b', '-us', '-uc', `-a${arch}`, `-j${jobs}`];
  await inside(build, join(folder, 'tree'));
  return filesOf(folder, /\.(deb|changes|buildinfo)$/);
}

/** The second build: another place, whose name has a space in it, under other circumstances. */
async function check(dsc, arch, first, work) {
  const folder = join(work, 'built elsewhere', arch);
  const other = await otherCircumstances(work, jobs);
  const packages = (await buildBinaries(dsc, arch, folder, other)).filter(isPackage);
  const wanted = filesOf(first, /\.deb$/);
  if (packages.join() !== wanted.join()) {
    throw new Error(`built again, ${arch} is ${packages.join(', ')}, not ${wanted.join(', ')}`);
  }
  for (const name of packages) console.log(sameBytes(join(first, name), join(folder, name)));
}

function isPackage(name) {
  return name.endsWith('.deb');
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

async function lint(file) {
  const strict = ['--fail-on', 'error,warning', '--tag-display-limit', '0', '--allow-root'];
  await step(`lintian ${basename(file)}`, () => must('lintian', [...strict, file]));
}

/** Copies what was made to where it was wanted; resolves with the paths there. */
function hand(folder, names, out) {
  mkdirSync(out, { recursive: true });
  for (const name of names) copyFileSync(join(folder, name), join(out, name));
  return names.map((name) => join(out, name));
}

async function packageAll(given, work) {
  const { out, suffix } = given;
  const sources = join(work, 'source');
  const dsc = await step('source package', () => buildSource(suffix, sources));
  const made = hand(sources, filesOf(sources, /\.(dsc|tar\.gz)$/), out);
  if (!given['no-lint']) await lint(dsc);
  for (const arch of given.arch) {
    const folder = join(work, arch);
    const names = await step(`dpkg-buildpackage ${arch}`, () =>
      buildBinaries(dsc, arch, folder, hereAndNow),
    );
    made.push(...hand(folder, names, out));
    if (!given['no-lint']) await lint(join(folder, filesOf(folder, /\.changes$/)[0]));
    if (given.check.includes(arch)) {
      await step(`${arch} once more, elsewhere`, () => check(dsc, arch, folder, work));
    }
  }
  return made.filter((path) => /\.(deb|dsc)$/.test(path));
}

async function main(args) {
  const given = parse(args);
  if (given.help) {
    process.stdout.write(usage);
    return;
  }
  await setup('package');
  const made = await withWorkFolder(given.work, (work) => packageAll(given, work));
  for (const path of made) console.log(path);
}

if (isMain(import.meta.url)) command(main);
