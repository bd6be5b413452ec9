// SPDX-License-Identifier: Apache-2.0
// `npm run test:vm`: boots Debian 12's own arm64 kernel and systemd in QEMU, with UIO devices in the
// device tree and this checkout installed, and runs test/vm there. Needs root; root file system and
// kernel are kept in .cache. Words are passed to vitest.

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildNative } from './build.mjs';
import * as counts from './counts.mjs';
import { makeRoots, pathByRecipe, removeStale } from './e2e-roots.mjs';
import { installTree } from './install-tree.mjs';
import { command, must, root, run, step } from './run.mjs';
import { setup } from './setup.mjs';
import { binariesPath, fetchBinaries, installSuite } from './vm-suite.mjs';

const cache = join(root, '.cache/vm');
const work = join(root, 'build/vm');
const scripts = join(root, 'packaging/vm');
const fetchKernel = join(scripts, 'fetch-kernel.sh');
const native = join(root, 'build/arm64');

/** What QEMU is to be, but for what a run adds: test/vm/support/machine.ts. */
export const machineOptions = [
  ...['-nodefaults', '-display', 'none', '-accel', 'tcg,thread=multi'],
  ...['-machine', 'virt,gic-version=3', '-cpu', 'cortex-a53', '-smp', '2', '-m', '1536'],
];

function kernelPath() {
  const recipe = [fetchKernel, join(root, 'packaging/dev/debian-sources.sh')];
  return pathByRecipe(join(cache, 'kernel'), recipe);
}

/** Everything that takes long, side by side: a part waits for the network, another computes. */
async function makeParts() {
  mkdirSync(cache, { recursive: true });
  const kernel = kernelPath();
  removeStale(cache, [kernel, binariesPath(cache)]);
  const [{ arm64 }] = await Promise.all([
    makeRoots('arm64'),
    step('kernel and uio_pdrv_genirq', () => must(fetchKernel, [kernel], { timeoutS: 300 })),
    fetchBinaries(cache),
    buildNative('arm64', 'product').then(() => buildNative('arm64', 'vm-tests')),
  ]);
  return { arm64, kernel };
}

/** The machine's archive of files; resolves with its path. */
async function makeImage(rootPath, kernel) {
  const tree = join(work, 'tree');
  await installTree({ destination: tree, native, unitDir: '/usr/lib/systemd/system' });
  await installSuite(tree, cache);
  const image = join(work, 'image.cpio');
  const words = [rootPath, kernel, tree, join(native, 'vm-tests'), image];
  await step('image', () => must(join(scripts, 'make-image.sh'), words));
  return image;
}

/** QEMU's own device tree for this machine, with what machine.dts adds; resolves with its path. */
async function makeDeviceTree() {
  const [own, overlay, merged] = ['own', 'overlay', 'machine'].map((name) =>
    join(work, `${name}.dtb`),
  );
  const dump = [...machineOptions, '-machine', `dumpdtb=${own}`];
  await step('device tree', async () => {
    await must('qemu-system-aarch64', dump, { quiet: true });
    // Addresses of two cells are what the target has, which dtc cannot see.
    const quiet = ['-W', 'no-reg_format', '-W', 'no-avoid_default_addr_size'];
    await must('dtc', [...quiet, '-O', 'dtb', '-o', overlay, join(scripts, 'machine.dts')]);
    await must('fdtoverlay', ['-i', own, '-o', merged, overlay]);
  });
  return merged;
}

async function runTests(words) {
  const { arm64, kernel } = await makeParts();
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const env = {
    RPMSGD_VM_KERNEL: join(kernel, 'vmlinuz'),
    RPMSGD_VM_DEVICE_TREE: await makeDeviceTree(),
    RPMSGD_VM_IMAGE: await makeImage(arm64, kernel),
    RPMSGD_VM_OPTIONS: JSON.stringify(machineOptions),
    RPMSGD_VM_WORK: work,
  };
  const report = join(root, 'build/reports/vm.json');
  rmSync(report, { force: true });
  const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'vm'];
  args.push('--reporter=verbose', '--reporter=json', `--outputFile.json=${report}`, ...words);
  const result = await step('tests', () => run(process.execPath, args, { env, timeoutS: 900 }));
  rmSync(work, { recursive: true, force: true });
  const sum = counts.verdict(result, counts.takeVitestReport(report));
  console.log(counts.line(sum));
  return sum.failed > 0 || sum.passed === 0 ? 1 : 0;
}

command(async ([first, ...rest]) => {
  if (first === '--inside') return await runTests(rest);
  if (process.getuid() !== 0) throw new Error('test:vm makes a root file system: run it as root');
  await step('setup', () => setup('vm'));
  const words = first === undefined ? [] : [first, ...rest];
  // Killed outright, this process cannot pass anything on: its death does.
  const script = ['--pdeathsig', 'TERM', join(root, 'packaging/e2e/namespace.sh')];
  const inside = [process.execPath, join(root, 'packaging/dev/vm.mjs'), '--inside', ...words];
  return (await run('setpriv', [...script, ...inside], { timeoutS: 1800 })).code ?? 1;
});
