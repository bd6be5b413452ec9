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

const done = firstAct(process.argv.slice(2));
const file = join(__dirname, 'daemon.js');
const code = loadCode(file);
const launch: Launch = { firstAct: done, started: () => void code.save() };
(code.run() as Program)(launch, require, file, __dirname);
