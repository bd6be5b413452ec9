// SPDX-License-Identifier: Apache-2.0
// What a package's bytes must not depend on, all of it at once, and the comparison of two files.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from './run.mjs';

/** A language in which `I` is not the capital of `i`, and which no build machine has set. */
const language = 'tr_TR';

/**
 * How to build elsewhere: `words(before)` are the words before a command, among them those of
 * `before`; `env` is added to its environment. What has to be made for it is made below `work`.
 */
export async function otherCircumstances(work, jobs) {
  const locales = join(work, 'locales');
  mkdirSync(locales, { recursive: true });
  const locale = `${language}.UTF-8`;
  await must('localedef', ['-i', language, '-f', 'UTF-8', join(locales, locale)], { quiet: true });
  const home = join(work, 'somebody');
  mkdirSync(home, { recursive: true });
  const shell = 'hostname elsewhere; umask 0077; exec "$@"';
  return {
    jobs: jobs + 3,
    env: {
      TZ: 'Pacific/Kiritimati',
      LC_ALL: locale,
      LANGUAGE: language,
      LOCPATH: locales,
      HOME: home,
      USER: 'somebody',
    },
    words: (before) => [
      ...before,
      '--uts',
      ...['sh', '-c', shell, 'sh'],
      ...['faketime', '-f', '+400d'],
    ],
  };
}

/** A line that says so; an Error that names the first byte that differs. */
export function sameBytes(first, second) {
  const [one, other] = [readFileSync(first), readFileSync(second)];
  const digest = createHash('sha256').update(one).digest('hex');
  if (one.equals(other)) return `same bytes: ${digest} ${first.split('/').at(-1)}`;
  const at = one.findIndex((byte, index) => byte !== other[index]);
  throw new Error(
    `${first} (${one.length} bytes) and ${second} (${other.length} bytes) differ from byte ` +
      `${at < 0 ? one.length : at} on; build with --work DIR to keep both, and use diffoscope`,
  );
}
