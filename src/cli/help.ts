// SPDX-License-Identifier: Apache-2.0
// The help texts of rpmsgctl, made from the table of verbs.

import type { Verb } from './verb.ts';

const optionsText = `Options:
  --bus BUS      system (default), session, or a D-Bus address
  --json         print JSON
  --root DIR     for doctor: examine the machine whose files are below DIR
  --socket PATH  of the simulated SoC, for sim: its attach socket or its control socket
                 (default $RPMSG_SOC_SOCKET, else /run/rpmsg-sim/soc.sock)
  --help         print this, or the help of a verb, and exit
`;

const statusText = `Exit status: 0 done, 1 it answered with an error, or doctor found a failure, 64 wrong usage,
69 no bus, no daemon or no simulated SoC, 77 not permitted.
`;

export function helpOfAll(verbs: readonly Verb[]): string {
  const width = Math.max(...verbs.map(({ name }) => name.length));
  const lines = verbs.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}\n`);
  return `Usage: rpmsgctl [options] VERB
Shows and uses what rpmsgd publishes on D-Bus.

Verbs:
${lines.join('')}
${optionsText}
${statusText}`;
}

export function helpOf({ name, usage, summary, calls, details }: Verb): string {
  const line = ['rpmsgctl', '[options]', name, usage].filter((word) => word !== '').join(' ');
  return `Usage: ${line}
${summary[0]?.toUpperCase()}${summary.slice(1)}.${calls.length > 0 ? ` Calls ${calls.join(', ')}.` : ''}

${details === undefined ? '' : `${details}\n`}${optionsText}`;
}
