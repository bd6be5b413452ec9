// SPDX-License-Identifier: Apache-2.0
// The options of `rpmsgctl stream`, read from the command line.

import { choiceOption, numberOption, usage } from '../options.ts';
import type { CommandContext, VerbOption } from '../verb.ts';
import type { Printing } from './output.ts';

export const streamOptions: readonly VerbOption[] = [
  { name: 'mode', value: 'MODE', summary: 'read, write or both (default)' },
  { name: 'hold', value: 'COUNT', summary: 'received messages that it may keep back' },
  {
    name: 'framing',
    value: 'FRAMING',
    summary: 'payload (default), or header: the 16-byte RPMsg header comes first',
  },
  {
    name: 'on-reset',
    value: 'WHAT',
    summary: 'drop (default) or keep what the remote had not got when it was reset',
  },
  { name: 'zero-length', summary: 'messages without bytes, too' },
  { name: 'lines', summary: 'a message a line (default on a terminal)' },
  { name: 'hex', summary: 'a message a line, in hexadecimal' },
  {
    name: 'packet-bytes',
    value: 'SIZE',
    summary: 'cut the input every SIZE bytes (default elsewhere, SIZE the longest\nmessage)',
  },
  {
    name: 'wait-ms',
    value: 'MS',
    summary:
      'after the end of the input, print what comes until nothing came for so\nlong (default 1000)',
  },
];

/** What is asked of the daemon. */
export interface StreamRequest {
  readonly mode: 'both' | 'read' | 'write';
  readonly hold: number | undefined;
  readonly framing: 'payload' | 'header';
  readonly onReset: 'drop' | 'keep';
  readonly hasEmptyMessages: boolean;
}

export interface StreamSettings extends StreamRequest {
  readonly form: 'lines' | 'hex' | 'bytes';
  /** Undefined: of the longest message. */
  readonly packetBytes: number | undefined;
  readonly printing: Printing;
  readonly waitMs: number;
}

const anyCount = 0xffffffff;
const longestPacket = 0xffff;
const longestWaitMs = 86_400_000;

/** @throws RpmsgctlError naming the option that is wrong */
export function readSettings(context: CommandContext): StreamSettings {
  const { options } = context;
  if (options['lines'] === true && options['hex'] === true) {
    throw usage('--lines and --hex cannot both be');
  }
  const mode = choiceOption(options, 'mode', ['both', 'read', 'write']);
  const packetBytes = numberOption(options, 'packet-bytes', 1, longestPacket);
  const stated = options['hex'] === true ? 'hex' : options['lines'] === true ? 'lines' : undefined;
  const isTyped = mode !== 'read' && context.stdin.isTTY === true;
  const usual = isTyped ? 'lines' : 'bytes';
  return {
    mode,
    hold: numberOption(options, 'hold', 1, anyCount),
    framing: choiceOption(options, 'framing', ['payload', 'header']),
    onReset: choiceOption(options, 'on-reset', ['drop', 'keep']),
    hasEmptyMessages: options['zero-length'] === true,
    form: packetBytes === undefined ? (stated ?? usual) : 'bytes',
    packetBytes,
    printing: printingOf(context, stated),
    waitMs: numberOption(options, 'wait-ms', 0, longestWaitMs) ?? 1000,
  };
}

function printingOf(context: CommandContext, stated: 'hex' | 'lines' | undefined): Printing {
  if (context.json) return 'json';
  if (stated === 'hex') return 'hex';
  if (context.stdout.isTTY === true) return 'screen';
  return stated ?? 'raw';
}
