// SPDX-License-Identifier: Apache-2.0
// Category 3: sound through buffers that the M core plays and fills. The steps of a stream go by
// their numbers.

import { gap, layout, u8, u32 } from '../fields.ts';
import { type CommandRow, defineService } from '../service.ts';

const responses = { 0: 'none', 1: 'not allowed', 2: 'ok', 3: 'failed' } as const;

const stepsOf = (direction: 'tx' | 'rx', first: number): CommandRow[] => {
  return Array.from({ length: 10 }, (_, step) => ({
    number: first + step,
    name: `${direction}-${step}`,
    summary: `step ${step} of ${direction === 'tx' ? 'playing' : 'recording'}`,
    operands: ['index'],
    results: ['buffer-offset', 'buffer-tail'],
  }));
};

const answer = layout(33, [
  u8('index'),
  u8('response', responses),
  gap(1),
  u32('buffer-offset'),
  u32('register', 'hex'),
  u32('value', 'hex'),
  gap(4),
  u32('buffer-tail'),
]);

export const audio = defineService({
  name: 'audio',
  category: 3,
  channels: ['rpmsg-audio-channel', 'rpmsg-micfil-channel'],
  keys: ['index'],
  code: { field: 'response', names: responses, good: [0, 2] },
  request: layout(33, [
    u8('index'),
    u8('format'),
    u8('channels'),
    u32('rate'),
    u32('buffer-address', 'hex'),
    u32('buffer-size'),
    u32('period-size'),
    u32('buffer-tail'),
  ]),
  reply: answer,
  notification: answer,
  commands: [
    ...stepsOf('tx', 0x00),
    ...stepsOf('rx', 0x0a),
    {
      number: 0x14,
      name: 'set-codec',
      summary: 'write a register of the codec',
      operands: ['index'],
    },
    {
      number: 0x15,
      name: 'get-codec',
      summary: 'read a register of the codec',
      operands: ['index'],
      results: ['register', 'value'],
    },
    {
      number: 0x16,
      name: 'tx-pointer',
      summary: 'ask how far playing is',
      operands: ['index'],
      results: ['buffer-offset'],
    },
    {
      number: 0x17,
      name: 'rx-pointer',
      summary: 'ask how far recording is',
      operands: ['index'],
      results: ['buffer-offset'],
    },
    ...(['tx', 'rx'] as const).map((direction, number) => ({
      number,
      name: `${direction}-period`,
      summary: `a period was ${direction === 'tx' ? 'played' : 'recorded'}`,
      kind: 'remote-notification' as const,
      operands: ['index', 'buffer-offset', 'buffer-tail'],
    })),
  ],
});
