// SPDX-License-Identifier: Apache-2.0
// The program rpmsgctl.

import { rpmsgctl } from './rpmsgctl.ts';
import { verbs } from './verbs.ts';

const output = {
  print: (text: string) => void process.stdout.write(text),
  complain: (text: string) => void process.stderr.write(text),
};

void rpmsgctl(process.argv.slice(2), verbs, output).then((status) => {
  process.exitCode = status;
});
