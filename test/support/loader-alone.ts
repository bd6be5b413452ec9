// SPDX-License-Identifier: Apache-2.0
// The loader of rpmsgd with a daemon that never does anything: what happens then is its first act.

import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../../packaging/dev/child.mjs';
import { checkout } from './daemon-process.ts';

/** Makes it in `directory` and starts it with the arguments of a daemon. It says LOADED at last. */
export function startLoaderAlone(directory: string, args: readonly string[]): Child {
  const folder = join(directory, 'loader');
  const addon = join(folder, 'rpmsgd.node');
  mkdirSync(folder, { recursive: true });
  if (!existsSync(addon)) symlinkSync(join(checkout, 'build/rpmsgd.node'), addon);
  copyFileSync(join(checkout, 'dist/rpmsgd.js'), join(folder, 'rpmsgd.js'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }');
  const daemon = `(function () { console.log('LOADED'); setInterval(() => {}, 1e9); })`;
  writeFileSync(join(folder, 'daemon.js'), daemon);
  return new Child('loader', process.execPath, [join(folder, 'rpmsgd.js'), ...args]);
}
