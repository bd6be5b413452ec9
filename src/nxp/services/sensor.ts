// SPDX-License-Identifier: Apache-2.0
// Category 7: sensors that the M core reads.

import { layout, type Meaning, u8, u32 } from '../fields.ts';
import { commonCodes, defineService } from '../service.ts';

const packet = (name: string, meaning: Meaning = 'number', range?: readonly [number, number]) => {
  return layout(16, [u8('type'), u8('index'), u32(name, meaning, range)]);
};

export const sensor = defineService({
  name: 'sensor',
  category: 7,
  channels: ['rpmsg-sensor-channel'],
  keys: ['type', 'index'],
  code: { field: 'code', names: commonCodes, good: [0] },
  request: packet('enable', 'switch'),
  reply: packet('code', commonCodes),
  notification: packet('value'),
  commands: [
    {
      number: 0,
      name: 'detector',
      summary: 'switch a detector on or off',
      operands: ['type', 'index', 'enable'],
    },
    {
      number: 1,
      name: 'counter',
      summary: 'switch a counter on or off',
      operands: ['type', 'index', 'enable'],
    },
    {
      number: 2,
      name: 'poll-delay',
      summary: 'set how often a sensor is read, in ms: 500 to 3600000',
      operands: ['type', 'index', 'delay'],
      layout: packet('delay', 'number', [500, 3_600_000]),
    },
    ...['detected', 'counted'].map((name, number) => ({
      number,
      name,
      summary: `a ${['detector', 'counter'][number]} has something to tell`,
      kind: 'remote-notification' as const,
      operands: ['type', 'index', 'value'],
    })),
  ],
});
