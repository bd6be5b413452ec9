// SPDX-License-Identifier: Apache-2.0
// Runs a program from what V8 made of it the last time. V8 checks that this was the same V8 with the
// same flags, but knows the source by its length alone, and would run whatever it finds: so the cache
// is read only where nobody else can write, and says itself what it was made of.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { fileIdentity } from './file-identity.ts';
import { keepPrivateFile, readPrivateFile } from './private-file.ts';

/** Where this user's caches are (CacheDirectory= in systemd.exec(5), else the XDG base directories). */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const given = env['CACHE_DIRECTORY']?.split(':')[0];
  if (given !== undefined && given !== '') return given;
  const { XDG_CACHE_HOME: xdg = '', HOME: home = '' } = env;
  if (xdg.startsWith('/')) return join(xdg, 'rpmsg');
  return home.startsWith('/') ? join(home, '.cache', 'rpmsg') : undefined;
}

export interface LoadedCode {
  /** What the program evaluates to. */
  run(): unknown;
  /** Keeps what has been compiled by now for the next start, unless that started from it already. */
  save(): Promise<void>;
}

/** Compiles the program in `file`, which is ASCII, from the cache where that is good. */
export function loadCode(file: string, folder = cacheFolder()): LoadedCode {
  const identity = fileIdentity(file);
  const cache = folder === undefined ? undefined : join(folder, `${cacheName(file)}.cache`);
  const cached = cache === undefined ? undefined : readCache(cache, identity);
  const script = new Script(readFileSync(file, 'latin1'), {
    filename: file,
    ...(cached === undefined ? {} : { cachedData: cached }),
  });
  const isGood = cached !== undefined && script.cachedDataRejected === false;
  return {
    run: () => script.runInThisContext(),
    save: async () => {
      if (isGood || cache === undefined) return;
      const data = script.createCachedData();
      await keepPrivateFile(cache, Buffer.concat([headerOf(identity, data.length), data]));
    },
  };
}

/** One cache an installation, whichever checkouts there are beside it. */
function cacheName(file: string): string {
  return file.replace(/^\//, '').replaceAll('/', '-');
}

/** Before the data: what it was made of, and how much it is. */
function headerOf(identity: string, size: number): Buffer {
  return Buffer.from(`${process.version} ${identity} ${size}\n`);
}

function readCache(path: string, identity: string): Buffer | undefined {
  const content = readPrivateFile(path);
  if (content === undefined) return undefined;
  const data = content.subarray(content.indexOf('\n') + 1);
  const header = content.subarray(0, content.length - data.length);
  return header.equals(headerOf(identity, data.length)) ? data : undefined;
}
