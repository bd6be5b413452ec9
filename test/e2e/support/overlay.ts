// SPDX-License-Identifier: Apache-2.0
// A writable view of a root that is never written to.

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { surroundings } from './surroundings.ts';

/** Mounts a view of `lower` and returns where it is; `name` is its own. */
export function makeOverlay(name: string, lower: string): string {
  const base = join(surroundings().scratch, name);
  const [root, upper, work] = ['root', 'upper', 'work'].map((part) => join(base, part));
  for (const directory of [root, upper, work]) mkdirSync(directory ?? '', { recursive: true });
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  execFileSync('mount', ['-t', 'overlay', '-o', options, 'overlay', root ?? '']);
  return root ?? '';
}

/** What is mounted below it goes as well; lazily, as a killed process lets go a moment later. */
export function removeOverlay(name: string): void {
  const base = join(surroundings().scratch, name);
  execFileSync('umount', ['--recursive', '--lazy', join(base, 'root')]);
  rmSync(base, { recursive: true, force: true });
}
