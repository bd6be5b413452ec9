// SPDX-License-Identifier: Apache-2.0
// A program that runs from the code cache is the program in its file, and nobody else's.

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolder, loadCode } from '../../src/start/code-cache.ts';

let directory: string;
let folder: string;
let program: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rpmsgd-code-'));
  folder = join(directory, 'cache');
  program = join(directory, 'program.js');
  writeFileSync(program, '(function () { return 1; })');
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Runs the program and keeps its code. */
async function run(): Promise<unknown> {
  const code = loadCode(program, folder);
  const result = (code.run() as () => unknown)();
  await code.save();
  return result;
}

function cache(): string {
  const [name = '', ...others] = readdirSync(folder);
  expect(others).toEqual([]);
  return join(folder, name);
}

/** Whether the next start would go by the cache: one that does has nothing to save. */
async function isUsed(): Promise<boolean> {
  const before = statSync(cache()).ino;
  expect(await run()).toBe(1);
  return statSync(cache()).ino === before;
}

describe('the code cache', () => {
  it('is written once and then used', async () => {
    expect(await run()).toBe(1);
    expect(await isUsed()).toBe(true);
    expect(statSync(cache()).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('is made anew for a program that was changed, however alike', async () => {
    await run();
    writeFileSync(join(directory, 'new'), '(function () { return 2; })');
    renameSync(join(directory, 'new'), program);
    expect(await run()).toBe(2);
    expect(await run()).toBe(2);
  });

  it('is not read where others may write it', async () => {
    await run();
    chmodSync(cache(), 0o620);
    expect(await isUsed()).toBe(false);
    chmodSync(folder, 0o777);
    expect(await isUsed()).toBe(false);
  });

  it('is not read through a link', async () => {
    await run();
    const path = cache();
    renameSync(path, join(directory, 'elsewhere'));
    symlinkSync(join(directory, 'elsewhere'), path);
    expect(await isUsed()).toBe(false);
  });

  it('is made anew when it is damaged', async () => {
    await run();
    const whole = readFileSync(cache());
    writeFileSync(cache(), whole.subarray(0, whole.length - 8));
    expect(await isUsed()).toBe(false);
    expect(await isUsed()).toBe(true);
  });

  it('takes away what a process left that died as it wrote', async () => {
    await run();
    writeFileSync(`${cache()}.1`, 'half');
    writeFileSync(join(directory, 'new'), '(function () { return 1; })');
    renameSync(join(directory, 'new'), program);
    await run();
    cache();
  });

  it('is done without where there is no place for it', async () => {
    writeFileSync(folder, 'a file');
    expect(await run()).toBe(1);
    expect((loadCode(program, undefined).run() as () => unknown)()).toBe(1);
  });

  it('leaves no draft behind where it cannot be written', async () => {
    mkdirSync(join(folder, `${program.slice(1).replaceAll('/', '-')}.cache`), { recursive: true });
    expect(await run()).toBe(1);
    expect(readdirSync(folder)).toHaveLength(1);
  });
});

it.each([
  [{ CACHE_DIRECTORY: '/var/cache/rpmsg:/more', XDG_CACHE_HOME: '/x' }, '/var/cache/rpmsg'],
  [{ XDG_CACHE_HOME: '/x', HOME: '/home/me' }, '/x/rpmsg'],
  [{ XDG_CACHE_HOME: 'relative', HOME: '/home/me' }, '/home/me/.cache/rpmsg'],
  [{}, undefined],
])('caches of %o are in %s', (env, expected) => {
  expect(cacheFolder(env)).toBe(expected);
});
