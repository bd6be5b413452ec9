// SPDX-License-Identifier: Apache-2.0
// The program rpmsgctl.

import { rpmsgctl, type Surroundings } from './rpmsgctl.ts';
import { verbs } from './verbs.ts';

const surroundings: Surroundings = {
  // Opened when a verb reads it: an open terminal or pipe would keep the process from ending.
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  complain: (text: string) => void process.stderr.write(text),
  interruption: () => {
    const controller = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => controller.abort(signal));
    }
    return controller.signal;
  },
};

// Whoever reads our output may have heard enough: that is how a pipe ends, and no failure.
process.stdout.on('error', () => {});

void rpmsgctl(process.argv.slice(2), verbs, surroundings).then((status) => {
  process.exitCode = status;
});
