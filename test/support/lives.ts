// SPDX-License-Identifier: Apache-2.0
// Firmware whose lives differ: the board starts the same command each time, and it does what its
// next life is to do.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A command that runs `commands` one after the other, one a start, and from then on always the last.
 * `directory` is the test's own; each call needs a `name` of its own there.
 */
export function lives(directory: string, name: string, commands: readonly string[]): string {
  const program = join(directory, name);
  const steps = commands
    .slice(0, -1)
    .map(
      (command, life) => `if mkdir '${program}.${life}' 2>/dev/null; then exec ${command}; fi\n`,
    );
  writeFileSync(program, `${steps.join('')}exec ${commands.at(-1)}\n`);
  return `sh ${program}`;
}
