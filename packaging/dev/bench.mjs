// SPDX-License-Identifier: Apache-2.0
// `npm run bench`: builds the product and what it is held against, runs the rows of test/bench and
// prints them as tables. Status 1: a goal is not met.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { buildNative, buildProduct } from './build.mjs';
import { command, root, step } from './run.mjs';
import { abortOnSignals } from './scene.mjs';
import { setup } from './setup.mjs';

const usage = `Usage: npm run bench [-- OPTIONS] [ROW...]
Measures the rows named, or all, side by side with what each is held against.

  --json FILE   write the results there too
  --svg DIR     write plots into that folder: latency.svg, throughput.svg
  --readme      write the table into README.md, and the plots that it shows
  --from FILE   measure nothing: take the results of a JSON file
  --rounds N    rounds that count (default 15)
  --no-build    use what was built before
  --help        print this and exit
`;

const known = {
  json: { type: 'string' },
  svg: { type: 'string' },
  readme: { type: 'boolean', default: false },
  from: { type: 'string' },
  rounds: { type: 'string', default: '15' },
  'no-build': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

function readArguments(args) {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: known });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new Error(`--rounds "${values.rounds}" must be a number from 1 up`);
  }
  const { 'no-build': noBuild, ...others } = values;
  if (others.from !== undefined && positionals.length > 0) {
    throw new Error(`--from takes every row of its file: "${positionals[0]}" cannot be chosen`);
  }
  return { ...others, names: positionals, rounds, noBuild };
}

/** One file that imports the other scripts here as they are; it lies as deep as its source does. */
async function bundle() {
  const esbuild = await import('esbuild');
  const { esbuildPlugins } = await import('./interface-xml.mjs');
  const outfile = join(root, 'build/bench/bench.mjs');
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: ['test/bench/main.ts'],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node18',
    packages: 'external',
    external: ['../../packaging/dev/*'],
    plugins: esbuildPlugins,
    logLevel: 'warning',
  });
  return pathToFileURL(outfile).href;
}

command(async (args) => {
  const options = readArguments(args);
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  if (!options.noBuild && options.from === undefined) {
    await step('setup', () => setup('bench'));
    await buildProduct();
    await buildNative('plain', 'bench');
  }
  const { bench } = await import(await bundle());
  return (await bench({ ...options, signal: abortOnSignals() })) ? 0 : 1;
});
