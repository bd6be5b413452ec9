// SPDX-License-Identifier: Apache-2.0
// The program rpmsgd as it is started: drains the remotes that live on, then loads the daemon, from the
// code cache where there is one. Small, since it is compiled anew at every start.

import { join } from 'node:path';
import { loadCode } from './code-cache.ts';
import { firstAct } from './first-act.ts';
import type { Launch } from './launch.ts';

declare const __dirname: string;
declare const require: NodeJS.Require;

type Program = (
  launch: Launch,
  require: NodeJS.Require,
  __filename: string,
  __dirname: string,
) => void;

/**
 * V8 lets a heap grow far beyond what lives in it before it looks for garbage; from here on it does not.
 * Neither flag costs anything measurable a message, but both would cost at the start, and so would v8.
 */
function keepHeapSmall(): void {
  const { setFlagsFromString } = require('node:v8') as typeof import('node:v8');
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--semi-space-growth-factor=1');
}

const done = firstAct(process.argv.slice(2));
const file = join(__dirname, 'daemon.js');
const code = loadCode(file);
function started(): void {
  // In this order: the cache is for a V8 with the flags of its start.
  void code.save();
  keepHeapSmall();
}

const launch: Launch = { firstAct: done, started };
(code.run() as Program)(launch, require, file, __dirname);
