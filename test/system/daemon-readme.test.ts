// SPDX-License-Identifier: Apache-2.0
// The README's transcripts are true: every command is run again and says the same.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkout, runProgram } from '../support/daemon-process.ts';
import { stable, transcript } from '../support/transcript.ts';

const steps = transcript(readFileSync(join(checkout, 'README.md'), 'utf8'));

test('the README shows the tree, introspection, a send and a receive', () => {
  const commands = steps.map(({ command }) => command).join('\n');
  for (const word of ['tree', 'introspect', 'Send', 'Receive', 'rpmsgctl']) {
    expect(commands).toContain(word);
  }
});

test('each command of the README prints what the README says', async () => {
  const mark = '=== next ===';
  const script = `cd '${checkout}'\n${steps.map(({ command }) => `${command}\necho '${mark}'`).join('\n')}`;
  const program = join(checkout, 'packaging/dev/with-daemon.mjs');
  const args = [program, '--no-build', '--', 'bash', '-c', script];
  const { status, stdout, stderr } = await runProgram(process.execPath, args, { LANG: 'C.UTF-8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const outputs = stdout.split(`${mark}\n`);
  const printed = steps.map(({ command }, index) => ({ command, output: outputs[index] ?? '' }));
  expect(printed.map(({ command, output }) => `$ ${command}\n${stable(output)}`)).toEqual(
    steps.map(({ command, output }) => `$ ${command}\n${stable(output)}`),
  );
});
