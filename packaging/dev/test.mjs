// SPDX-License-Identifier: Apache-2.0
// `npm test`: sets the machine up, builds, runs every test that needs no root file system, and ends
// with one line that adds all runners up. `npm test -- unit system` runs only the stages named,
// `--soak` (npm run soak) makes the counts long.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildNative, buildProduct } from './build.mjs';
import * as counts from './counts.mjs';
import { command, must, root, run, step, withoutRandomAddresses } from './run.mjs';
import { setup } from './setup.mjs';

const soak = process.argv.includes('--soak');
if (soak) process.env.RPMSGD_SOAK = '1';

const builds = {
  plain: { folder: 'build', env: {} },
  asan: {
    folder: 'build/asan',
    env: { ASAN_OPTIONS: 'detect_stack_use_after_return=1', UBSAN_OPTIONS: 'print_stacktrace=1' },
  },
  tsan: { folder: 'build/tsan', env: { TSAN_OPTIONS: 'halt_on_error=1:second_deadlock_stack=1' } },
};

/** Runs one test program of a build; ThreadSanitizer's need fixed addresses. */
function runProgram(preset, name, args, timeoutS) {
  const { folder, env } = builds[preset];
  const prefix = preset === 'tsan' ? withoutRandomAddresses() : [];
  const [first, ...rest] = [...prefix, join(root, folder, name), ...args];
  return run(first, rest, { env, timeoutS });
}

/** The whole programs of test/native/programs that are tests in this preset. */
function programs(preset) {
  const list = JSON.parse(readFileSync(join(root, 'packaging/dev/native-programs.json'), 'utf8'));
  return list.filter((entry) => entry.presets.includes(preset));
}

/** The remote of native/sim/README.md, compiled from its text beside the tests that run it. */
function buildReadmeRemote(folder) {
  const script = join(root, 'packaging/dev/readme-remote.mjs');
  const args = [script, join(root, folder, 'readme-remote')];
  return must(process.execPath, args, { quiet: true, timeoutS: 60 });
}

async function nativeStage(preset) {
  if (preset !== 'plain') await buildNative(preset);
  await buildReadmeRemote(builds[preset].folder);
  const timeoutS = soak ? 3600 : preset === 'plain' ? 180 : 420;
  const unit = await runProgram(preset, 'native-tests', ['--no-intro', '--no-colors'], timeoutS);
  let sum = counts.verdict(unit, counts.parseDoctest(unit.output));
  for (const { name, args, soakArgs, timeoutS: limitS } of programs(preset)) {
    const chosen = soak ? (soakArgs ?? args) : args;
    const result = await step(`${name} (${preset})`, () =>
      runProgram(preset, name, chosen, soak ? Math.max(3600, limitS) : limitS),
    );
    sum = counts.add(sum, counts.verdict(result, counts.onePassed));
  }
  return sum;
}

/** That the ordering functions of native/memory are the right instructions on arm64. */
async function barrierStage() {
  const path = join(root, 'packaging/dev/check-barriers.mjs');
  if (!existsSync(path)) return counts.none;
  const result = await run(process.execPath, [path], { timeoutS: 120 });
  return counts.verdict(result, counts.parseLine(result.output) ?? counts.onePassed);
}

async function vitestStage(project) {
  const report = join(root, 'build/reports', `${project}.json`);
  counts.takeVitestReport(report);
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const args = [vitest, 'run', '--project', project, '--passWithNoTests', ...reporters];
  const result = await run(process.execPath, args, { timeoutS: soak ? 7200 : 900 });
  return counts.verdict(result, counts.takeVitestReport(report));
}

const stages = {
  native: () => nativeStage('plain'),
  barriers: barrierStage,
  unit: () => vitestStage('unit'),
  integration: () => vitestStage('integration'),
  system: () => vitestStage('system'),
  'system-alone': () => vitestStage('system-alone'),
  'system-openamp': async () => {
    const beside = await vitestStage('system-openamp');
    return counts.add(beside, await vitestStage('system-openamp-alone'));
  },
  asan: () => nativeStage('asan'),
  tsan: () => nativeStage('tsan'),
};

/** Stages that whoever calls has run elsewhere, and counts as skipped. */
const skipped = (process.env.RPMSGD_TEST_SKIP ?? '').split(' ');

/** Runs a stage; whatever it throws is one failed test of it. */
async function runStage(name) {
  if (skipped.includes(name)) {
    console.log(`== ${name}: skipped (RPMSGD_TEST_SKIP)\n`);
    return { ...counts.none, skipped: 1 };
  }
  const sum = await step(name, () =>
    stages[name]().catch((error) => {
      console.error(error.message);
      return counts.oneFailed;
    }),
  );
  console.log(`== ${name}: ${counts.line(sum)}\n`);
  return sum;
}

command(async (args) => {
  const chosen = args.filter((arg) => arg !== '--soak');
  const unknown = chosen.find((name) => !Object.hasOwn(stages, name));
  if (unknown) {
    throw new Error(`no stage "${unknown}": it is one of ${Object.keys(stages).join(', ')}`);
  }
  await step('setup', () => setup('test'));
  await buildProduct({ tests: true });
  let sum = counts.none;
  for (const name of chosen.length > 0 ? chosen : Object.keys(stages)) {
    sum = counts.add(sum, await runStage(name));
  }
  console.log(counts.line(sum));
  return sum.failed > 0 || sum.passed === 0 ? 1 : 0;
});
