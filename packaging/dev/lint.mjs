// SPDX-License-Identifier: Apache-2.0
// `npm run lint`: mistakes and style that tools can see, in TypeScript and C++. `--fix`
// (npm run format) rewrites what can be rewritten. `npm run lint -- biome types` runs only those.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join, relative } from 'node:path';
import { command, must, root, run, step } from './run.mjs';
import { setup } from './setup.mjs';

const fix = process.argv.includes('--fix');
const jobs = availableParallelism?.() ?? cpus().length;
const maxLines = 400;

/** Every file below the given folders whose name ends in one of `endings`, relative to the root. */
function filesBelow(folders, endings) {
  const found = [];
  const visit = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (endings.some((ending) => entry.name.endsWith(ending))) found.push(path);
    }
  };
  for (const folder of folders) if (existsSync(join(root, folder))) visit(join(root, folder));
  return found.map((path) => relative(root, path)).sort();
}

/** The lines of a file for which `isWrong` says so, as messages that `why` ends. */
function wrongLines(file, isWrong, why) {
  return readFileSync(join(root, file), 'utf8')
    .split('\n')
    .map((text, index) => (isWrong(text) ? `${file}:${index + 1}: ${why}` : undefined))
    .filter((message) => message !== undefined);
}

function report(messages) {
  if (messages.length > 0) throw new Error(messages.join('\n'));
}

function npmTool(path) {
  return join(root, 'node_modules', path);
}

async function biome() {
  const args = fix ? ['check', '--write'] : ['check'];
  await must(process.execPath, [
    npmTool('@biomejs/biome/bin/biome'),
    ...args,
    '--error-on-warnings',
  ]);
}

async function types() {
  await must(process.execPath, [npmTool('typescript/bin/tsc'), '--noEmit']);
}

const cpp = ['.cc', '.h', '.c'];

async function clangFormat() {
  const files = filesBelow(['native', 'test/native'], cpp);
  if (files.length === 0) return;
  await must('clang-format', [...(fix ? ['-i'] : ['--dry-run', '-Werror']), ...files]);
}

/** clang-tidy is slow: one process a CPU, each with every n-th source of the product. */
async function clangTidy() {
  const tree = join(root, 'build/cmake/plain');
  await must('cmake', ['-S', 'native', '--preset', 'plain'], { quiet: true });
  const commands = JSON.parse(readFileSync(join(tree, 'compile_commands.json'), 'utf8'));
  const sources = [...new Set(commands.map(({ file }) => file))]
    .filter((file) => relative(root, file).startsWith('native/'))
    .sort();
  const shares = Array.from({ length: jobs }, (_, n) => sources.filter((_, i) => i % jobs === n));
  const runs = shares
    .filter((share) => share.length > 0)
    .map((share) =>
      run('clang-tidy', ['--quiet', '-p', tree, ...share], { quiet: true, timeoutS: 900 }),
    );
  const bad = (await Promise.all(runs)).filter(({ code }) => code !== 0);
  report(bad.map(({ output }) => output.replace(/^\d+ warnings? .*\n/gm, '')));
}

/** Memory that a remote can write is read and written through native/memory alone. */
function sharedMemory() {
  const folders = ['memory', 'virtio', 'link', 'rpmsg'].map((name) => `native/${name}`);
  const isWrong = (text) =>
    /\b(memcpy|memset|memmove|copy_n)\s*\(/.test(text) && !text.includes('// private memory');
  const why =
    'copies of shared memory go through memory/shared_copy.h; ' +
    'if this is never shared, say so at the end of the line: // private memory';
  report(filesBelow(folders, cpp).flatMap((file) => wrongLines(file, isWrong, why)));
}

function sizes() {
  const files = filesBelow(['src', 'native', 'packaging/dev'], [...cpp, '.ts', '.mjs']);
  const lines = (file) => readFileSync(join(root, file), 'utf8').split('\n').length - 1;
  report(
    files
      .filter((file) => lines(file) > maxLines)
      .map((file) => `${file}: ${lines(file)} lines; split it, ${maxLines} is the limit`),
  );
}

/** Each source says its licence; none carries notes to oneself. */
function headers() {
  const files = filesBelow(
    ['src', 'native', 'packaging/dev', 'test'],
    [...cpp, '.ts', '.mjs', '.sh'],
  );
  const start = (file) => readFileSync(join(root, file), 'utf8').split('\n').slice(0, 2).join('\n');
  const unlicensed = files
    .filter((file) => !start(file).includes('SPDX-License-Identifier: Apache-2.0'))
    .map((file) => `${file}: does not start with SPDX-License-Identifier: Apache-2.0`);
  const isNote = (text) => /\b(TO[D]O|FIX[M]E|X[X]X)\b/.test(text);
  const why = 'a note to oneself: do it, or open an issue';
  report([...unlicensed, ...files.flatMap((file) => wrongLines(file, isNote, why))]);
}

const checks = {
  biome,
  types,
  'clang-format': clangFormat,
  'shared-memory': sharedMemory,
  sizes,
  headers,
  'clang-tidy': clangTidy,
};

command(async (args) => {
  const chosen = args.filter((arg) => arg !== '--fix');
  const unknown = chosen.find((name) => !Object.hasOwn(checks, name));
  if (unknown) {
    throw new Error(`no check "${unknown}": it is one of ${Object.keys(checks).join(', ')}`);
  }
  await step('setup', () => setup('lint'));
  const failed = [];
  for (const name of chosen.length > 0 ? chosen : Object.keys(checks)) {
    await step(name, async () => checks[name]()).catch((error) => {
      console.error(error.message);
      failed.push(name);
    });
  }
  console.log(failed.length > 0 ? `lint: failed: ${failed.join(', ')}` : 'lint: clean');
  return failed.length > 0 ? 1 : 0;
});
