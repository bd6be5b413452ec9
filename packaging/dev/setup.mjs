// SPDX-License-Identifier: Apache-2.0
// Makes a checkout ready: Debian packages for a purpose, then npm's. A library for the other
// scripts and a command (`npm run setup`, or `node packaging/dev/setup.mjs demo`).

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, isMain, must, root, step, which } from './run.mjs';

/** What each purpose needs: Debian's package and one program or file by which others find it. */
const debian = {
  build: [
    ['g++', 'g++'],
    ['cmake', 'cmake'],
    ['ninja-build', 'ninja'],
  ],
  demo: [
    ['dbus-daemon', 'dbus-daemon'],
    ['systemd', 'busctl'],
  ],
  bench: [
    ['libsystemd-dev', '/usr/include/systemd/sd-bus.h'],
    ['util-linux', 'taskset'],
  ],
  test: [
    ['doctest-dev', '/usr/include/doctest/doctest.h'],
    ['dbus-broker', 'dbus-broker'],
    ['socat', 'socat'],
    ['picocom', 'picocom'],
    ['libsystemd-dev', '/usr/include/systemd/sd-bus.h'],
    ['libglib2.0-dev', '/usr/include/glib-2.0/gio/gio.h'],
    ['pkg-config', 'pkg-config'],
    ['device-tree-compiler', 'dtc'],
    ['tshark', 'tshark'],
    ['python3-dbus', '/usr/lib/python3/dist-packages/dbus/__init__.py'],
    ['python3-gi', '/usr/lib/python3/dist-packages/gi/__init__.py'],
    ['zsh', 'zsh'],
    ['fish', 'fish'],
    ['g++-aarch64-linux-gnu', 'aarch64-linux-gnu-g++'],
    ['binutils-aarch64-linux-gnu', 'aarch64-linux-gnu-objdump'],
  ],
  lint: [
    ['clang-format', 'clang-format'],
    ['clang-tidy', 'clang-tidy'],
  ],
  fuzz: [
    ['clang', 'clang++'],
    ['libclang-rt-14-dev', 'clang++'],
    ['device-tree-compiler', 'dtc'],
  ],
  e2e: [
    ['libsystemd-dev', '/usr/include/systemd/sd-bus.h'],
    ['arch-test', 'arch-test'],
    ['binfmt-support', 'update-binfmts'],
    ['qemu-user-static', 'qemu-aarch64-static'],
    ['autopkgtest', 'autopkgtest'],
    ['systemd-container', 'systemd-nspawn'],
  ],
  vm: [
    ['qemu-system-arm', 'qemu-system-aarch64'],
    ['device-tree-compiler', 'dtc'],
    ['doctest-dev', '/usr/include/doctest/doctest.h'],
    ['g++-aarch64-linux-gnu', 'aarch64-linux-gnu-g++'],
    ['binutils-aarch64-linux-gnu', 'aarch64-linux-gnu-strip'],
    ['make', 'make'],
    ['xz-utils', 'xz'],
    ['cpio', 'cpio'],
    ['kmod', 'depmod'],
    ['arch-test', 'arch-test'],
    ['binfmt-support', 'update-binfmts'],
    ['qemu-user-static', 'qemu-aarch64-static'],
  ],
  package: [
    ['dpkg-dev', 'dpkg-buildpackage'],
    ['debhelper', 'dh'],
    ['g++-aarch64-linux-gnu', 'aarch64-linux-gnu-g++'],
    ['binutils-aarch64-linux-gnu', 'aarch64-linux-gnu-objdump'],
    ['lintian', 'lintian'],
    ['faketime', 'faketime'],
    ['hostname', 'hostname'],
    ['locales', 'localedef'],
    ['util-linux', 'unshare'],
  ],
  'fresh-root': [
    ['mmdebstrap', 'mmdebstrap'],
    ['git', 'git'],
    ['util-linux', 'unshare'],
    ['procps', 'pgrep'],
  ],
};

/** A purpose stands for itself and for what it is built upon. */
const includes = {
  build: ['build'],
  demo: ['build', 'demo'],
  bench: ['build', 'demo', 'bench'],
  test: ['build', 'demo', 'test'],
  lint: ['build', 'demo', 'test', 'lint'],
  fuzz: ['build', 'fuzz'],
  package: ['build', 'package'],
  e2e: ['build', 'fresh-root', 'e2e'],
  vm: ['build', 'fresh-root', 'vm'],
  'fresh-root': ['fresh-root'],
};

function needs(purpose) {
  const names = includes[purpose];
  if (!names) {
    throw new Error(`no purpose "${purpose}": it is one of ${Object.keys(includes).join(', ')}`);
  }
  return names.flatMap((name) => debian[name]);
}

/** Those of `packages` that dpkg does not report as installed. */
function notInstalled(packages) {
  const format = ['-W', '-f', `\${Package} \${db:Status-Status}\n`];
  const query = spawnSync('dpkg-query', [...format, ...packages], { encoding: 'utf8' });
  if (query.error) throw new Error(`dpkg-query: ${query.error.message}`);
  const installed = new Set(
    query.stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  return packages.filter((name) => !installed.has(name));
}

/** On a machine that is not Debian nothing is installed: what is missing is named. */
function checkTools(purpose) {
  const missing = needs(purpose).filter(([, tool]) =>
    tool.startsWith('/') ? !existsSync(tool) : !which(tool),
  );
  if (missing.length === 0) return;
  const lines = missing.map(([name, tool]) => `  ${tool} (in Debian's package ${name})`);
  throw new Error(`This machine has no dpkg. For "${purpose}" it lacks:\n${lines.join('\n')}`);
}

async function installPackages(missing) {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const quick = ['-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=3'];
  const list = missing.join(' ');
  await step('apt-get update', () =>
    must('apt-get', [...quick, '-qq', 'update'], { env, quiet: true }),
  );
  await step(`apt-get install ${list}`, () =>
    must('apt-get', [...quick, '-qq', '-y', 'install', '--no-install-recommends', ...missing], {
      env,
      quiet: true,
      timeoutS: 1200,
    }),
  );
}

/** Makes sure the Debian packages of `purpose` are there; installs them as root, else says how. */
export async function setupDebian(purpose) {
  if (!which('dpkg-query')) {
    checkTools(purpose);
    return;
  }
  const missing = notInstalled(needs(purpose).map(([name]) => name));
  if (missing.length === 0) return;
  if (process.getuid() === 0) {
    await installPackages(missing);
    return;
  }
  throw new Error(
    `Packages are missing. As root, run:\n` +
      `  apt-get install --no-install-recommends ${missing.join(' ')}`,
  );
}

/** Runs `npm ci` unless node_modules was made from this very lock file. */
export async function setupNpm() {
  const stamp = join(root, 'node_modules', '.made-from-lock');
  const lock = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  const wanted = lock.digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  await step('npm ci', () => must('npm', ['ci'], { quiet: true, timeoutS: 600 }));
  writeFileSync(stamp, wanted);
}

/** Everything `purpose` needs: one of build, demo, bench, test, lint, fuzz, package, e2e, vm, fresh-root. */
export async function setup(purpose) {
  await setupDebian(purpose);
  if (purpose !== 'fresh-root') await setupNpm();
}

if (isMain(import.meta.url)) {
  command(async (purposes) => {
    for (const purpose of purposes.length > 0 ? purposes : ['test']) await setup(purpose);
  });
}
