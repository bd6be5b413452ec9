// SPDX-License-Identifier: Apache-2.0
// The help texts of rpmsgctl, made from the table of verbs.

import type { Verb, VerbOption } from './verb.ts';

/** Those of every verb. */
export const commonOptions: readonly VerbOption[] = [
  { name: 'bus', value: 'BUS', summary: 'system (default), session, or a D-Bus address' },
  { name: 'host', value: 'HOST', summary: 'the system bus of [USER@]HOST[:PORT], over ssh' },
  { name: 'json', summary: 'print JSON, also of errors' },
  { name: 'help', summary: 'print this, or the help of a verb, and exit' },
];

const statusText = `Exit status: 0 done, 1 it answered with an error, what is named is not there, or doctor found a
failure, 64 wrong usage, 69 no bus, no daemon or no simulated SoC, 75 time was over, 77 not permitted.
`;

export function helpOfAll(all: readonly Verb[]): string {
  const verbs = all.filter(({ isHidden }) => isHidden !== true);
  const width = Math.max(...verbs.map(({ name }) => name.length));
  const lines = verbs.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}\n`);
  return `Usage: rpmsgctl [options] VERB
Shows and uses what rpmsgd publishes on D-Bus.

Verbs:
${lines.join('')}
${optionsText('Options', commonOptions)}
${statusText}`;
}

export function helpOf({ name, usage, summary, calls, options, details }: Verb): string {
  const line = ['rpmsgctl', '[options]', name, usage].filter((word) => word !== '').join(' ');
  const called = calls.map((call) => `  ${call}\n`).join('');
  const parts = [
    `Usage: ${line}\n${summary[0]?.toUpperCase()}${summary.slice(1)}.\n`,
    details,
    called === '' ? undefined : `Calls:\n${called}`,
    options === undefined ? undefined : optionsText(`Options of ${name}`, options),
    optionsText('Options', commonOptions),
  ];
  return parts.filter((part) => part !== undefined).join('\n');
}

function optionsText(title: string, options: readonly VerbOption[]): string {
  const words = options.map(({ name, value }) => `--${name}${value ? ` ${value}` : ''}`);
  const width = Math.max(...words.map(({ length }) => length));
  const lines = options.map(({ summary }, i) => {
    const text = summary.replaceAll('\n', `\n${' '.repeat(width + 4)}`);
    return `  ${words[i]?.padEnd(width)}  ${text}\n`;
  });
  return `${title}:\n${lines.join('')}`;
}
