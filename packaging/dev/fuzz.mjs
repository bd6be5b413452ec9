// SPDX-License-Identifier: Apache-2.0
// Builds the fuzzers, those of test/native/fuzz with clang, and runs each for `--seconds N` (default
// 20); CI does this, and `node packaging/dev/fuzz.mjs --seconds 3600` is for a longer look. A fuzzer
// is one test: it passes when it found nothing.

import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildNative } from './build.mjs';
import * as counts from './counts.mjs';
import { command, root, run, step } from './run.mjs';
import { setup } from './setup.mjs';

const build = join(root, 'build/fuzz');

/** Runs one fuzzer on inputs it keeps from run to run; what breaks it is left beside them. */
async function fuzz(name, seconds) {
  const corpus = join(build, 'corpus', name);
  mkdirSync(corpus, { recursive: true });
  const limits = [`-max_total_time=${seconds}`, '-timeout=10', '-rss_limit_mb=2048'];
  const result = await run(
    join(build, name),
    [...limits, '-verbosity=0', '-print_final_stats=1', `-artifact_prefix=${corpus}-`, corpus],
    { timeoutS: seconds + 60 },
  );
  return counts.verdict(result, result.code === 0 ? counts.onePassed : counts.oneFailed);
}

/** Device trees need no instrumented build: what they may break is an exception and the counts. */
async function fuzzDeviceTrees(seconds) {
  const esbuild = await import('esbuild');
  const outfile = join(build, 'device-tree-fuzz.mjs');
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: ['test/fuzz/main.ts'],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node18',
    packages: 'external',
    logLevel: 'warning',
  });
  const boards = join(root, 'test/unit/devicetree/boards');
  const args = ['--max-old-space-size=256', outfile, boards, String(seconds)];
  const result = await run(process.execPath, args, { timeoutS: seconds + 60 });
  return counts.verdict(result, result.code === 0 ? counts.onePassed : counts.oneFailed);
}

command(async (args) => {
  const at = args.indexOf('--seconds');
  const seconds = at < 0 ? 20 : Number(args[at + 1]);
  if (!Number.isInteger(seconds) || seconds < 1) {
    throw new Error(`--seconds ${args[at + 1]}: give a whole number of seconds, 1 or more`);
  }
  const sources = join(root, 'test/native/fuzz');
  if (!existsSync(sources)) {
    console.log('there are no fuzzers in test/native/fuzz yet');
    return 0;
  }
  await step('setup', () => setup('fuzz'));
  await buildNative('fuzz');
  let sum = counts.none;
  for (const name of readdirSync(build).filter((file) => file.endsWith('-fuzz'))) {
    sum = counts.add(sum, await step(name, () => fuzz(name, seconds)));
  }
  sum = counts.add(sum, await step('device-tree-fuzz', () => fuzzDeviceTrees(seconds)));
  console.log(counts.line(sum));
  return sum.failed > 0 ? 1 : 0;
});
