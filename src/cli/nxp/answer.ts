// SPDX-License-Identifier: Apache-2.0
// How an answer is printed.

import { type NxpPacket, valueText } from '../../nxp/index.ts';
import type { CommandContext } from '../verb.ts';
import type { NxpRequest } from './request.ts';

/** What was asked for; of several values each with its name, on a line of its own. */
export function printAnswer(
  context: CommandContext,
  channel: string,
  { service, command, values }: NxpRequest,
  answer: NxpPacket | undefined,
): void {
  if (context.json) {
    const document = {
      service: service.name,
      command: command.name,
      channel,
      request: values,
      ...(answer === undefined ? {} : { answer: answer.values }),
      ...(answer?.data === undefined ? {} : { data: [...answer.data] }),
    };
    context.print(`${JSON.stringify(document)}\n`);
    return;
  }
  const results = answer === undefined ? [] : command.results;
  const lines = results.map((name) => [name, textOf(name, answer as NxpPacket)] as const);
  const [only] = lines;
  if (only !== undefined && lines.length === 1) context.print(`${only[1]}\n`);
  else for (const [name, text] of lines) context.print(`${name} ${text}\n`);
}

function textOf(name: string, { command, values, data }: NxpPacket): string {
  if (name === 'data') return data?.toString('hex') ?? '';
  const field = command.reply.fields.find((one) => one.name === name);
  const value = values[name];
  return field === undefined || value === undefined ? 'none' : valueText(field, value);
}
