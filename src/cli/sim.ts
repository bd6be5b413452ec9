// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl sim`: what a person does to a simulated SoC. It needs no bus.

import { nearest } from '../util/nearest.ts';
import { CliStatus, RpmsgctlError } from './errors.ts';
import { askBoard, socketPath } from './sim-control.ts';
import { describeBoard } from './sim-status.ts';
import type { CommandContext, Verb } from './verb.ts';

interface SimVerb {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
}

export const simVerbs: readonly SimVerb[] = [
  { name: 'status', usage: '', summary: 'show the board, its cores and who is attached' },
  {
    name: 'reset',
    usage: 'CORE [GRACE_MS]',
    summary: 'reset its partition; the firmware runs on while REBOOT is out',
  },
  { name: 'kill', usage: 'CORE', summary: 'kill its firmware: a crash' },
  {
    name: 'lockup',
    usage: 'CORE [WATCHDOG_MS]',
    summary: 'stop its firmware, and reset the partition after 100 ms or so long',
  },
  { name: 'silent-restart', usage: 'CORE', summary: 'start its firmware anew and tell nobody' },
  {
    name: 'notify',
    usage: 'CORE reboot|rebooted',
    summary: 'raise that SCFW interrupt for no reason',
  },
  { name: 'hold', usage: 'CORE', summary: 'keep the core off after its next death' },
  { name: 'release', usage: 'CORE', summary: 'let a core that is held start again' },
  { name: 'start-delay', usage: 'CORE MS', summary: 'wait so long before each next start' },
  { name: 'scu-delay', usage: 'MS', summary: 'hold each answer of SCFW back so long' },
  { name: 'scu-drop', usage: 'COUNT', summary: 'leave the next calls to SCFW unanswered' },
];

const width = Math.max(...simVerbs.map(({ name, usage }) => `${name} ${usage}`.length));
const details = simVerbs.map(({ name, usage, summary }) => {
  return `  ${`${name} ${usage}`.padEnd(width)}  ${summary}\n`;
});

export const sim: Verb = {
  name: 'sim',
  usage: 'VERB [CORE] [VALUE]',
  summary: 'reset, kill or disturb the cores of a simulated SoC',
  calls: [],
  options: [
    {
      name: 'socket',
      value: 'PATH',
      summary:
        'of the simulated SoC: its attach socket or its control socket\n' +
        '(default $RPMSG_SOC_SOCKET, else /run/rpmsg-sim/soc.sock)',
    },
  ],
  details: `Verbs of sim:\n${details.join('')}`,
  run: async (context: CommandContext) => {
    const [name, ...rest] = context.args;
    if (name === undefined) throw usage('a verb of sim is missing');
    checkVerb(name);
    for (const word of rest) {
      if (!/^[\x21-\x7e]+$/.test(word)) throw usage(`${JSON.stringify(word)} is no such value`);
    }
    const answer = await askBoard(socketPath(context.options['socket']), [name, ...rest]);
    if (context.json) context.print(`${JSON.stringify(answer, undefined, 2)}\n`);
    else if (name === 'status') context.print(describeBoard(answer));
  },
};

function checkVerb(name: string): void {
  const names = simVerbs.map((verb) => verb.name);
  if (names.includes(name)) return;
  const guess = nearest(name, names);
  const advice = guess === undefined ? '' : `; did you mean ${guess}?`;
  throw usage(`sim has no verb ${JSON.stringify(name)}${advice}`);
}

function usage(message: string): RpmsgctlError {
  return new RpmsgctlError(CliStatus.usage, `${message}; see rpmsgctl sim --help`);
}
