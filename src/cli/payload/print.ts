// SPDX-License-Identifier: Apache-2.0
// How a received message is printed by the verbs that receive.

import { jsonLine } from '../json.ts';
import { type Printing, printed } from '../stream/output.ts';
import type { CommandContext, VerbOption } from '../verb.ts';
import { decodePayload } from './describe.ts';

export interface ReceivedMessage {
  readonly seq: bigint;
  /** Address that it came from. */
  readonly src: number;
  readonly generation: number;
  /** CLOCK_MONOTONIC of the daemon's machine. */
  readonly timeNs: bigint;
  readonly data: Buffer;
}

export const printingOptions: readonly VerbOption[] = [
  { name: 'lines', summary: 'each received message ends with a newline' },
];

/** The five fields of MessageReceived, or of a message of Receive. */
export function messageOf(fields: readonly unknown[]): ReceivedMessage {
  const [seq, src, generation, timeNs, data] = fields as [bigint, number, number, bigint, Buffer];
  return { seq, src, generation, timeNs, data: Buffer.from(data) };
}

/**
 * Text on a terminal, whose control characters are escaped, or what a codec says; elsewhere the bytes
 * as they are.
 * @param channel name of the channel or endpoint
 */
export function printMessage(
  context: CommandContext,
  message: ReceivedMessage,
  channel: string,
): void {
  const printing = printingOf(context);
  const decoded = printing === 'screen' ? decodePayload(channel, message.data) : undefined;
  if (context.json) context.print(jsonLine(jsonMessage(message, channel)));
  else if (decoded !== undefined) context.print(`${decoded}\n`);
  else context.stdout.write(printed(message.data, printing));
}

/** With what a codec makes of it, if one knows it. */
export function jsonMessage(
  { seq, src, generation, timeNs, data }: ReceivedMessage,
  channel: string,
) {
  const decoded = decodePayload(channel, data);
  return { seq, src, generation, time_ns: timeNs, data: [...data], decoded };
}

function printingOf({ options, terminal }: CommandContext): Printing {
  if (options['hex'] === true) return 'hex';
  if (terminal.isTerminal) return 'screen';
  return options['lines'] === true ? 'lines' : 'raw';
}
