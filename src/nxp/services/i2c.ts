// SPDX-License-Identifier: Apache-2.0
// Category 9: transfers on an I2C bus that the M core owns. The first version of it has packets of 34
// bytes whatever they carry, the second as many data bytes as it counts; a short transfer padded to
// 34 is good for both.

import { type Layout, layout, u8, u16 } from '../fields.ts';
import { defineService } from '../service.ts';

/** Ends the transfer with a stop condition. */
const stopFlag = 0x0200;

const codes = {
  0: 'ok',
  1: 'failed',
  2: 'invalid parameter',
  3: 'invalid message',
  4: 'invalid state',
  5: 'out of memory',
  6: 'timed out waiting for an event',
  9: 'transfer timed out',
  10: 'peer not ready',
  11: 'communication failed',
  12: 'no such service',
  13: 'version not supported',
} as const;

const data = { lengthField: 'length', mostBytes: 478, paddedBytes: 16 };
const packet = (second: 'reserved' | 'code'): Layout => {
  const fields = [
    u8('bus'),
    u8(second, second === 'code' ? codes : 'number'),
    u16('address', 'hex'),
    u16('flags', 'hex'),
    u16('length'),
  ];
  return layout(18, fields, { data });
};
const constants = { flags: stopFlag };

export const i2c = defineService({
  name: 'i2c',
  category: 9,
  channels: ['rpmsg-i2c-channel'],
  timeoutMs: 500,
  priority: 1,
  keys: ['bus', 'address'],
  code: { field: 'code', names: codes, good: [0] },
  request: packet('reserved'),
  reply: packet('code'),
  commands: [
    {
      number: 0,
      name: 'read',
      summary: 'read bytes from a device',
      operands: ['bus', 'address', 'length'],
      results: ['data'],
      constants,
    },
    {
      number: 1,
      name: 'write',
      summary: 'write bytes, in hexadecimal, to a device',
      operands: ['bus', 'address', 'data'],
      constants,
    },
  ],
});
