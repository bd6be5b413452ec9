// SPDX-License-Identifier: Apache-2.0
// rpmsgctl's command line in this process: its exit status and what it printed.

import { rpmsgctl } from '../../src/cli/rpmsgctl.ts';
import { verbs } from '../../src/cli/verbs.ts';

export async function runRpmsgctl(...args: string[]) {
  let out = '';
  let err = '';
  const status = await rpmsgctl(args, verbs, {
    print: (text) => {
      out += text;
    },
    complain: (text) => {
      err += text;
    },
  });
  return { status, out, err };
}
