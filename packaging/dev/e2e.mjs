// SPDX-License-Identifier: Apache-2.0
// `npm run test:e2e`: installs the packages in a Debian 12 root, boots it with its own systemd and
// checks there. Needs root; the roots are kept in .cache/e2e, everything else goes when it ends.
// `-- --packages DIR` takes packages made before, further words are passed to vitest.

import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as counts from './counts.mjs';
import { makeRoots } from './e2e-roots.mjs';
import { command, must, root, run, step } from './run.mjs';
import { setup } from './setup.mjs';

/** The programs of test/e2e/support that go into the machine. */
const helpers = [
  { name: 'stop-thread', flags: ['-static'], libraries: [] },
  { name: 'stream-traffic', flags: [], libraries: ['-lsystemd'] },
  { name: 'subscriber', flags: [], libraries: ['-lsystemd'] },
  { name: 'traffic', flags: [], libraries: ['-lsystemd'] },
];

async function buildHelpers() {
  const directory = join(root, 'build/e2e');
  mkdirSync(directory, { recursive: true });
  for (const { name, flags, libraries } of helpers) {
    const source = join(root, `test/e2e/support/${name}.c`);
    const output = ['-o', join(directory, name)];
    await must('cc', [...flags, '-O1', '-Wall', '-Werror', source, ...output, ...libraries]);
  }
  return directory;
}

async function runTests(words, packages) {
  const roots = await makeRoots('amd64', 'arm64');
  const helpers = await buildHelpers();
  const report = join(root, 'build/reports/e2e.json');
  rmSync(report, { force: true });
  const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'e2e'];
  args.push('--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...words);
  const env = {
    RPMSGD_E2E_ROOT: roots.amd64,
    RPMSGD_E2E_ARM64_ROOT: roots.arm64,
    RPMSGD_E2E_PACKAGES: packages,
    RPMSGD_E2E_HELPERS: helpers,
  };
  const result = await run(process.execPath, args, { env, timeoutS: 1200 });
  const sum = counts.verdict(result, counts.takeVitestReport(report));
  console.log(counts.line(sum));
  return sum.failed > 0 || sum.passed === 0 ? 1 : 0;
}

/** Takes `--packages DIR` out of `words`; without it, packages are built. */
async function packagesDirectory(words) {
  const at = words.indexOf('--packages');
  if (at >= 0) return resolve(words.splice(at, 2)[1]);
  const build = [join(root, 'packaging/dev/package.mjs'), '--check', 'amd64'];
  await must(process.execPath, build, { timeoutS: 900 });
  return join(root, 'build/packages');
}

command(async (args) => {
  const words = [...args];
  if (words[0] === '--inside') return await runTests(words.slice(2), words[1]);
  if (process.getuid() !== 0) throw new Error('test:e2e mounts and boots: run it as root');
  await step('setup', () => setup('e2e'));
  const packages = await packagesDirectory(words);
  // Killed outright, this process cannot pass anything on: its death does.
  const script = ['--pdeathsig', 'TERM', join(root, 'packaging/e2e/namespace.sh')];
  const inside = [process.execPath, join(root, 'packaging/dev/e2e.mjs'), '--inside', packages];
  const all = [...script, ...inside, ...words];
  return (await run('setpriv', all, { timeoutS: 1800 })).code ?? 1;
});
