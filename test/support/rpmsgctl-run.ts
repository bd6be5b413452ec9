// SPDX-License-Identifier: Apache-2.0
// rpmsgctl's command line in this process: its exit status and what it printed.

import { Readable, Writable } from 'node:stream';
import { rpmsgctl } from '../../src/cli/rpmsgctl.ts';
import { verbs } from '../../src/cli/verbs.ts';

export async function runRpmsgctl(...args: string[]) {
  let out = '';
  let err = '';
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      out += chunk;
      done();
    },
  });
  const status = await rpmsgctl(args, verbs, {
    stdin: Readable.from([]),
    stdout,
    complain: (text) => {
      err += text;
    },
    interruption: () => new AbortController().signal,
  });
  return { status, out, err };
}
