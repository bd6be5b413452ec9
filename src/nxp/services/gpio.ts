// SPDX-License-Identifier: Apache-2.0
// Category 5: pins that the M core owns. Linux sends its structure with the padding at its end;
// NXP's remotes leave off what is behind the last field.

import { gap, layout, u8 } from '../fields.ts';
import { commonCodes, defineService } from '../service.ts';

const triggers = {
  0: 'none',
  1: 'rising',
  2: 'falling',
  3: 'both',
  4: 'low',
  5: 'high',
} as const;
const pin = [u8('pin'), u8('port')];

export const gpio = defineService({
  name: 'gpio',
  category: 5,
  channels: ['rpmsg-io-channel'],
  keys: ['port', 'pin'],
  code: { field: 'code', names: commonCodes, good: [0] },
  request: layout(16, [...pin, gap(4)]),
  reply: layout(16, [...pin, u8('code', commonCodes), u8('value'), gap(2)], { leastBytes: 14 }),
  notification: layout(16, [...pin, gap(4)], { leastBytes: 12 }),
  commands: [
    {
      number: 2,
      name: 'get',
      summary: 'read a pin',
      operands: ['port', 'pin'],
      results: ['value'],
    },
    {
      number: 1,
      name: 'set',
      summary: 'make a pin an output and set it to 0 or 1',
      operands: ['port', 'pin', 'value'],
      layout: layout(16, [...pin, u8('value', 'number', [0, 1]), gap(3)]),
    },
    {
      number: 0,
      name: 'input',
      summary: 'make a pin an input, and say which edge or level of it is told',
      operands: ['port', 'pin', 'trigger', 'wakeup'],
      leastOperands: 2,
      layout: layout(16, [...pin, u8('trigger', triggers), u8('wakeup', 'switch'), gap(2)]),
    },
    {
      number: 0,
      name: 'edge',
      summary: 'what was asked for happened at a pin',
      kind: 'remote-notification',
      operands: ['port', 'pin'],
    },
  ],
});
