// SPDX-License-Identifier: Apache-2.0
// `npm run install-tree -- DESTDIR`: everything a machine needs, below DESTDIR, as a package or an
// image has it. debian/rules uses it, and so may recipes for Yocto or Buildroot.

import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildBundles, buildNative } from './build.mjs';
import { dropIns, files, units } from './installed-files.mjs';
import { busManPage } from './man-bus.mjs';
import { command, isMain, root } from './run.mjs';
import { setup } from './setup.mjs';

const usage = `Usage: npm run install-tree -- DESTDIR [options]
Installs daemon, rpmsgctl, simulator, units, bus policy, man pages and completions below DESTDIR.

  --native DIR    programs and addon were built there already, for the target; else they are built
                  for this machine
  --unit-dir DIR  where systemd looks for units (default /usr/lib/systemd/system)
  --help          print this and exit
`;

const options = {
  native: { type: 'string' },
  'unit-dir': { type: 'string', default: '/usr/lib/systemd/system' },
  help: { type: 'boolean' },
};

function parse(args) {
  const { values, positionals } = parseArgs({
    args,
    options,
    allowPositionals: true,
    strict: true,
  });
  const [destination, ...rest] = positionals;
  if (rest.length > 0) throw new Error(`${rest[0]} is one DESTDIR too many\n${usage}`);
  if (!values.help && !destination) throw new Error(`DESTDIR is missing\n${usage}`);
  return { destination, native: values.native, unitDir: values['unit-dir'], help: values.help };
}

/** Copies with the mode it is to have, whatever the umask says. */
function install(from, to, mode) {
  makeFolder(dirname(to));
  copyFileSync(from, to);
  chmodSync(to, mode);
}

function installText(text, to) {
  makeFolder(dirname(to));
  writeFileSync(to, text);
  chmodSync(to, 0o644);
}

function makeFolder(folder) {
  const first = mkdirSync(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) chmodSync(made, 0o755);
}

function manPage(source) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const text = source.endsWith('.mjs') ? busManPage() : readFileSync(join(root, source), 'utf8');
  return text.replaceAll('@VERSION@', version);
}

/** The bundles, and the names by which people and units start them. */
async function installPrograms(at) {
  await buildBundles({ folder: at('/usr/lib/rpmsgd'), release: true });
  for (const link of ['/usr/sbin/rpmsgd', '/usr/bin/rpmsgctl']) {
    makeFolder(dirname(at(link)));
    const program = `/usr/lib/rpmsgd/${basename(link)}.js`;
    symlinkSync(relative(dirname(link), program), at(link));
  }
}

/** The client module as `require('rpmsgd/client')` and `npm install /usr/lib/rpmsgd` find it. */
function installModule(at) {
  const { name, version, description, license } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  const exports = { './client': { types: './client.d.ts', default: './client.js' } };
  const manifest = { name, version, description, license, private: true, exports };
  installText(`${JSON.stringify(manifest, undefined, 2)}\n`, at('/usr/lib/rpmsgd/package.json'));
  const link = '/usr/share/nodejs/rpmsgd';
  makeFolder(dirname(at(link)));
  symlinkSync(relative(dirname(link), '/usr/lib/rpmsgd'), at(link));
}

/** Installs everything below `destination`; an empty or fresh folder. */
export async function installTree({ destination, native, unitDir }) {
  const base = resolve(destination);
  const at = (path) => join(base, path);
  makeFolder(at('/usr/lib/rpmsgd'));
  for (const [name, path] of files.native) install(join(native, name), at(path), modeOf(path));
  await installPrograms(at);
  installModule(at);
  for (const [source, path] of files.plain) install(join(root, source), at(path), 0o644);
  for (const [source, path] of [...units.map((name) => [name, name]), ...dropIns]) {
    install(join(root, 'systemd', source), at(join(unitDir, path)), 0o644);
  }
  for (const [source, path] of files.man) installText(manPage(source), at(path));
  for (const path of files.folders) makeFolder(at(path));
}

function modeOf(path) {
  return path.endsWith('.node') ? 0o644 : 0o755;
}

async function main(args) {
  const given = parse(args);
  if (given.help) {
    process.stdout.write(usage);
    return;
  }
  if (given.native === undefined) {
    await setup('build');
    await buildNative('plain', 'product');
  }
  await installTree({ ...given, native: resolve(given.native ?? join(root, 'build')) });
}

if (isMain(import.meta.url)) command(main);
