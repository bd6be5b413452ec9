// SPDX-License-Identifier: Apache-2.0
// The services and their commands, for the help.

import { type NxpCommand, type NxpService, nxpServices } from '../../nxp/index.ts';
import { askableCommands, usageOf } from './request.ts';

/** One line a command. */
export function catalogue(): string {
  const rows = nxpServices.flatMap((service) => {
    return askableCommands(service).flatMap((command) => rowOf(service, command));
  });
  const width = Math.max(...rows.map(([usage]) => usage.length));
  const lines = rows.map(([usage, summary]) => `  ${usage.padEnd(width)}  ${summary}\n`);
  return `Services and commands:\n${lines.join('')}`;
}

/** Ten steps with one meaning have one line. */
function rowOf(service: NxpService, command: NxpCommand): [string, string][] {
  const step = /-(\d)$/.exec(command.name)?.[1];
  const usage = usageOf(service, command);
  if (step === undefined) return [[usage, command.summary]];
  if (step !== '0') return [];
  return [[usage.replace('-0', '-0...9'), command.summary.replace('step 0', 'a step')]];
}
