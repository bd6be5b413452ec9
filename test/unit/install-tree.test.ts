// SPDX-License-Identifier: Apache-2.0
// What is installed: everything, once, the same each time, with its licences.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import lock from '../../package-lock.json' with { type: 'json' };
import { buildBundles } from '../../packaging/dev/build.mjs';
import { vendoredPackages } from '../../packaging/dev/source-tree.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const debian = join(root, 'packaging/debian');
const scratch = mkdtempSync(join(tmpdir(), 'install-tree-'));

/** Stands for what CMake built: installing copies it and looks no further. */
function nativeFolder(): string {
  const folder = join(scratch, 'native');
  mkdirSync(folder, { recursive: true });
  for (const name of ['rpmsgd.node', 'rpmsg-soc', 'rpmsg-firmware']) {
    writeFileSync(join(folder, name), name);
    chmodSync(join(folder, name), 0o600);
  }
  return folder;
}

function installTree(name: string, umask: string): string {
  const destination = join(scratch, name);
  const script = join(root, 'packaging/dev/install-tree.mjs');
  const command = `umask ${umask}; exec "$0" "$@"`;
  const args = [process.execPath, script, destination, '--native', nativeFolder()];
  execFileSync('sh', ['-c', command, ...args], { stdio: 'pipe' });
  return destination;
}

/** Each path below with its mode and contents. */
function listing(folder: string, below = ''): Map<string, string> {
  const all = new Map<string, string>();
  for (const name of readdirSync(join(folder, below)).sort()) {
    const path = join(below, name);
    const stat = lstatSync(join(folder, path));
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isSymbolicLink()) all.set(path, `-> ${readlinkSync(join(folder, path))}`);
    else if (!stat.isDirectory()) all.set(path, `${mode} ${readFileSync(join(folder, path))}`);
    else {
      all.set(path, mode);
      for (const [inner, what] of listing(folder, path)) all.set(inner, what);
    }
  }
  return all;
}

/** The paths that a package takes of the tree. */
function installList(name: string): string[] {
  const text = readFileSync(join(debian, `${name}.install`), 'utf8');
  return text.split('\n').filter((line) => line !== '');
}

let tree = '';
let installed = new Map<string, string>();

beforeAll(() => {
  tree = installTree('first', '022');
  installed = listing(tree);
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('installs the same tree in another place under another umask', () => {
  const other = listing(installTree('second/deep', '077'));
  expect([...other.keys()]).toEqual([...installed.keys()]);
  for (const [path, what] of installed) expect(other.get(path) === what, path).toBe(true);
});

it('lets everyone read everything and nobody but root write anything', () => {
  const odd = [...installed].filter(([, what]) => !/^(-> |755|755 |644 )/.test(what));
  expect(odd.map(([path]) => path)).toEqual([]);
});

it('gives each file to one package', () => {
  const lists = ['rpmsgd', 'rpmsgd-simulator'].map(installList);
  const files = [...installed].filter(([, what]) => what !== '755').map(([path]) => path);
  for (const file of files) {
    // debian/rules asks for another folder of units.
    const path = file.replace(/^usr\/lib\/systemd\/system\//, 'lib/systemd/system/');
    const takers = lists.filter((list) =>
      list.some((taken) => path === taken || path.startsWith(`${taken}/`)),
    );
    expect(takers.length, path).toBe(1);
  }
});

it('has programs that run by their names', () => {
  for (const path of ['usr/sbin/rpmsgd', 'usr/bin/rpmsgctl']) {
    const output = execFileSync(process.execPath, [join(tree, path), '--help'], {
      encoding: 'utf8',
    });
    expect(output).toMatch(/^Usage: /);
    expect(readFileSync(join(tree, path), 'utf8')).toMatch(/^#!\/usr\/bin\/node\n/);
  }
});

it('has the client module under the name by which programs ask for it', () => {
  const script = `const {connect} = require('rpmsgd/client'); process.stdout.write(typeof connect)`;
  const env = { ...process.env, NODE_PATH: join(tree, 'usr/share/nodejs') };
  expect(execFileSync(process.execPath, ['-e', script], { env, encoding: 'utf8' })).toBe(
    'function',
  );
  expect(readFileSync(join(tree, 'usr/lib/rpmsgd/client.d.ts'), 'utf8')).toContain('connect(');
});

it('names no folder of the machine it was built on', () => {
  for (const program of ['rpmsgd.js', 'daemon.js', 'rpmsgctl.js', 'client.js']) {
    const text = readFileSync(join(tree, 'usr/lib/rpmsgd', program), 'utf8');
    expect(text.includes(root), program).toBe(false);
    expect(text.includes('sourceMappingURL'), program).toBe(false);
  }
});

it('says the version in every man page', () => {
  const pages = [...installed].filter(([path]) => /\/man\/man\d\//.test(path));
  expect(pages.length).toBe(6);
  for (const [path, text] of pages) expect(text, path).toContain(`"rpmsgd ${manifest.version}"`);
});

it('tells the licence of every package that is in the bundles', async () => {
  const inputs = await buildBundles({ folder: join(scratch, 'bundles'), release: true });
  const bundled = inputs.flatMap((input) => {
    const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input) ?? [];
    return name === undefined ? [] : [name];
  });
  // Of these, headers are in the addon.
  const used = new Set([...bundled, 'node-addon-api', 'node-api-headers']);
  const text = readFileSync(join(debian, 'copyright'), 'utf8');
  const listed = [...text.matchAll(/^Files: node_modules\/(\S+)\/\*$/gm)].map(([, name]) => name);
  expect(listed).toEqual([...used].sort());
});

it('tells the licence that each of them says it has', () => {
  const text = readFileSync(join(debian, 'copyright'), 'utf8');
  const stanzas = text.matchAll(/^Files: (node_modules\/\S+)\/\*\nCopyright: .+\nLicense: (.+)$/gm);
  for (const [, path = '', licence] of stanzas) {
    const own = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')).license;
    // node-addon-api, node-api-headers and jsbi leave it to a file.
    if (own !== undefined) expect(licence, path).toBe(own);
    expect(text, path).toContain(`\n\nLicense: ${licence}\n`);
  }
});

it('has a Debian changelog of this version', () => {
  const [, version] = /^rpmsgd \(([^)]+)\)/.exec(
    readFileSync(join(debian, 'changelog'), 'utf8'),
  ) ?? [''];
  expect(version).toBe(manifest.version);
});

it('takes along what the build needs of npm, and no test tool', () => {
  const vendored = vendoredPackages(lock);
  for (const name of ['esbuild', 'fast-xml-parser', 'node-addon-api', 'node-api-headers', 'pino']) {
    expect(vendored).toContain(`node_modules/${name}`);
  }
  expect(vendored.filter((path) => /vitest|biome|typescript/.test(path))).toEqual([]);
});
