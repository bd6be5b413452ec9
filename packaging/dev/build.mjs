// SPDX-License-Identifier: Apache-2.0
// Builds the product: native programs and the addon under build/, the bundled daemon and command
// line under dist/. A library for the other scripts and a command (`npm run build`).

import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { command, isMain, must, root, run, step } from './run.mjs';
import { setup } from './setup.mjs';

const jobs = String(availableParallelism?.() ?? cpus().length);

/** Configures a preset of native/CMakePresets.json and builds one target (`all`, `product`, ...). */
export async function buildNative(preset, target = 'all') {
  await step(`build native ${preset} ${target}`, async () => {
    await must('cmake', ['-S', 'native', '--preset', preset], { quiet: true });
    const build = ['--build', join(root, 'build/cmake', preset), '-j', jobs, '--target', target];
    build.push('--', '--quiet');
    await must('cmake', build, { quiet: true, timeoutS: 900 });
  });
}

const entries = [
  { source: 'src/start/loader.ts', output: 'dist/rpmsgd.js' },
  {
    source: 'src/main.ts',
    output: 'dist/daemon.js',
    parameters: 'launch, require, __filename, __dirname',
  },
  { source: 'src/cli/main.ts', output: 'dist/rpmsgctl.js' },
  { source: 'src/client/index.ts', output: 'dist/client.js', isModule: true },
];

/** The client side of with-daemon and the demo; not packaged. */
const demo = { source: 'src/cli/demo/index.ts', output: 'dist/demo.js' };

// CommonJS has no import.meta.url; the sources may use it as ever.
const bundleUrl = "const bundleUrl = require('node:url').pathToFileURL(__filename).href;";

/** A program; a module for others; or, with `parameters`, one function of these for the loader to call. */
function wrapping({ parameters, isModule }, release) {
  if (isModule) return { banner: { js: bundleUrl } };
  if (parameters === undefined) {
    return { banner: { js: `#!/usr/bin/${release ? '' : 'env '}node\n${bundleUrl}` } };
  }
  return { banner: { js: `(function (${parameters}) {${bundleUrl}` }, footer: { js: '})' } };
}

/**
 * How an entry point is bundled: one CommonJS file, for Debian 12's own Node. A release is for
 * installation: no source map, the system's Node, no licence left out.
 */
function bundleOptions(entry, plugins, release) {
  const { source, output } = entry;
  return {
    absWorkingDir: root,
    entryPoints: [source],
    outfile: output,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node18',
    external: ['*.node', 'x11', 'usocket', 'sd-notify'],
    define: { 'import.meta.url': 'bundleUrl' },
    ...wrapping(entry, release),
    plugins,
    sourcemap: !release,
    legalComments: release ? 'eof' : 'inline',
    metafile: true,
    logLevel: 'warning',
  };
}

/** The plug-in that lets src/dbus import the interface files of dbus/. */
export async function interfacePlugins() {
  const path = join(root, 'packaging/dev/interface-xml.mjs');
  if (!existsSync(path)) return [];
  const { esbuildPlugins } = await import(pathToFileURL(path).href);
  return esbuildPlugins;
}

/** Bundles src/ into dist/, or what is installed of it into `folder`; resolves with what went in. */
export async function buildBundles({ folder = join(root, 'dist'), release = false } = {}) {
  const inputs = new Set();
  await step('build bundles', async () => {
    const esbuild = await import('esbuild');
    const plugins = await interfacePlugins();
    mkdirSync(folder, { recursive: true });
    if (!release) writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }\n');
    for (const entry of release ? entries : [...entries, demo]) {
      const file = join(folder, basename(entry.output));
      const options = bundleOptions({ ...entry, output: file }, plugins, release);
      const { metafile } = await esbuild.build(options);
      for (const input of Object.keys(metafile.inputs)) inputs.add(input);
      chmodSync(file, entry.parameters === undefined && !entry.isModule ? 0o755 : 0o644);
    }
  });
  return [...inputs].sort();
}

/**
 * Compiles sd-notify's addon where this Node's own headers and libsystemd's are at hand. It is not
 * N-API, so its binary is good for this Node only; where it cannot be built the daemon does without.
 */
export async function buildSdNotify() {
  const folder = join(root, 'node_modules/sd-notify');
  const headers = join(dirname(dirname(process.execPath)), 'include/node');
  const needed = [
    join(folder, 'notify.cc'),
    join(headers, 'node.h'),
    '/usr/include/systemd/sd-daemon.h',
  ];
  const lacking = needed.find((path) => !existsSync(path));
  if (lacking) {
    console.log(`sd-notify is not built (no ${lacking}): the daemon uses its own datagrams`);
    return;
  }
  await step('build sd-notify', async () => {
    const output = join(folder, 'build/Release/notify.node');
    if (existsSync(output) && (await loads(output))) return;
    mkdirSync(dirname(output), { recursive: true });
    const flags = ['-std=c++17', '-O1', '-fPIC', '-shared', '-w', '-DBUILDING_NODE_EXTENSION'];
    const name = '-DNODE_GYP_MODULE_NAME=notify';
    const files = [join(folder, 'notify.cc'), '-o', output, '-lsystemd'];
    const args = [...flags, name, `-I${headers}`, ...files];
    const built = await run('c++', args, { quiet: true, timeoutS: 120 });
    if (built.code !== 0) console.log('sd-notify does not compile here: the daemon does without');
  });
}

async function loads(addon) {
  const script = `require(${JSON.stringify(addon)})`;
  return (await run(process.execPath, ['-e', script], { quiet: true, timeoutS: 20 })).code === 0;
}

/** The whole product; `tests` adds the native test programs and those of the benchmark. */
export async function buildProduct({ tests = false } = {}) {
  await buildNative('plain', tests ? 'all' : 'product');
  if (tests) await buildNative('plain', 'bench');
  await buildBundles();
  await buildSdNotify();
}

if (isMain(import.meta.url)) {
  command(async () => {
    await setup('build');
    await buildProduct();
  });
}
