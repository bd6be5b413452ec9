// SPDX-License-Identifier: Apache-2.0
// One vitest project a test level; packaging/dev/test.mjs runs them one after the other.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const soak = process.env['RPMSGD_SOAK'] === '1';

/** The plug-in that lets src/dbus import the interface files of dbus/. */
const pluginUrl = new URL('packaging/dev/interface-xml.mjs', import.meta.url);
const plugins = existsSync(fileURLToPath(pluginUrl))
  ? [(await import(pluginUrl.href)).vitePlugin]
  : [];

interface Level {
  readonly name: string;
  /** The longest a single test may take, in seconds; ten times that in a soak run. */
  readonly timeoutS: number;
  /** Files of one level may run beside each other, two at a time, but for those that measure. */
  readonly parallel: boolean;
  /** Whose tests it runs again, if they are another's. */
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Files that would show nothing new, or cannot be so. */
  readonly exclude?: readonly string[];
  /** The only files. */
  readonly include?: readonly string[];
}

/** Files of test/system that need both CPUs to themselves: `NAME-alone` runs them after the others. */
const alone = [
  ...['bench', 'first-act', 'never-back', 'remote-deaths', 'remotes', 'reset-orders'],
  ...['clients-flood', 'daemon-deaths', 'daemon-many', 'stream-load', 'stream-stopped'],
];

/** What would show nothing new with the other firmware, or cannot be shown with it. */
const withOneFirmware = [
  'bench', // measures what the bench measures
  'first-act', // counts calls of SCFW, which the i.MX93 has not
  'bus-defects', // no firmware in these
  'bus-hostile',
  'bus-tree',
  'errors-config',
  'resource-table', // says itself which firmware, and so do these
  ...['flow', 'life', 'load', 'options', 'reset', 'stopped'].map((of) => `stream-${of}`),
  'tty',
  'capture', // clients, to which all firmware is one
  'client-module',
  'examples',
  'cli-nxp',
  'cli-verbs', // says itself which firmware
  'daemon-readme', // the README and the demo show RPMsg-Lite's
  'demo',
];

const openamp = { RPMSGD_TEST_FIRMWARE: 'openamp' };

const levels: readonly Level[] = [
  { name: 'unit', timeoutS: 10, parallel: true },
  { name: 'integration', timeoutS: 30, parallel: false },
  { name: 'system', timeoutS: 60, parallel: true, exclude: alone },
  { name: 'system-alone', folder: 'system', timeoutS: 60, parallel: false, include: alone },
  {
    name: 'system-openamp',
    folder: 'system',
    timeoutS: 60,
    parallel: true,
    env: openamp,
    exclude: [...withOneFirmware, ...alone],
  },
  {
    name: 'system-openamp-alone',
    folder: 'system',
    timeoutS: 60,
    parallel: false,
    env: openamp,
    include: alone.filter((file) => !withOneFirmware.includes(file)),
  },
  { name: 'e2e', timeoutS: 90, parallel: false },
  { name: 'vm', timeoutS: 120, parallel: false },
];

function files(folder: string, names: readonly string[] = ['**/*']): string[] {
  return names.map((name) => `test/${folder}/${name}.test.ts`);
}

export default defineConfig({
  test: {
    poolOptions: { forks: { maxForks: 2, minForks: 1 } },
    projects: levels.map((level) => ({
      plugins,
      test: {
        name: level.name,
        include: files(level.folder ?? level.name, level.include),
        exclude: files(level.folder ?? level.name, level.exclude ?? []),
        env: level.env ?? {},
        testTimeout: level.timeoutS * (soak ? 10_000 : 1_000),
        hookTimeout: 30_000,
        fileParallelism: level.parallel,
        // Addon and processes: each file in a process of its own, never in a worker thread.
        pool: 'forks' as const,
      },
    })),
  },
});
