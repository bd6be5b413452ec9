// SPDX-License-Identifier: Apache-2.0
// Compiles the remote that stands in native/sim/README.md, from its text, to build/readme-remote
// (or the path given as argument), so that the document cannot say what does not work.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const output = resolve(process.argv[2] ?? join(root, 'build', 'readme-remote'));
const readme = readFileSync(join(root, 'native', 'sim', 'README.md'), 'utf8');

const fence = /^```c\n(\/\/ readme-remote\.c\n[\s\S]*?)^```$/m.exec(readme);
if (fence === null) {
  console.error(
    'native/sim/README.md has no ```c fence that begins with "// readme-remote.c": the complete remote must stand there',
  );
  process.exit(1);
}

mkdirSync(dirname(output), { recursive: true });
const source = `${output}.c`;
writeFileSync(source, fence[1]);
const flags = ['-std=c11', '-O2', '-Wall', '-Wextra', '-Werror', '-I', join(root, 'native', 'sim')];
execFileSync('cc', [...flags, '-o', output, source], { stdio: 'inherit' });
