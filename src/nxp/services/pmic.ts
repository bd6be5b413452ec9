// SPDX-License-Identifier: Apache-2.0
// Category 2: regulators and registers of the power management chip that the M core owns.

import { type Layout, layout, u8, u32 } from '../fields.ts';
import { commonCodes, defineService } from '../service.ts';

const packet = (subject: 'regulator' | 'register'): Layout => {
  return layout(17, [
    u8(subject, subject === 'register' ? 'hex' : 'number'),
    u8('code', commonCodes),
    u8('status', 'switch'),
    u32('value', subject === 'register' ? 'hex' : 'number'),
  ]);
};
const register = { layout: packet('register'), reply: packet('register') };
const regulator = ['regulator'];

export const pmic = defineService({
  name: 'pmic',
  category: 2,
  channels: ['rpmsg-regulator-channel'],
  keys: ['regulator', 'register'],
  code: { field: 'code', names: commonCodes, good: [0] },
  request: packet('regulator'),
  reply: packet('regulator'),
  commands: [
    { number: 0, name: 'enable', summary: 'switch a regulator on', operands: regulator },
    { number: 1, name: 'disable', summary: 'switch a regulator off', operands: regulator },
    {
      number: 2,
      name: 'is-enabled',
      summary: 'ask whether a regulator is on',
      operands: regulator,
      results: ['status'],
    },
    {
      number: 3,
      name: 'set-voltage',
      summary: 'set the voltage of a regulator',
      operands: ['regulator', 'value'],
    },
    {
      number: 4,
      name: 'get-voltage',
      summary: 'ask for the voltage of a regulator',
      operands: regulator,
      results: ['value'],
    },
    {
      number: 5,
      name: 'get-register',
      summary: 'read a register',
      operands: ['register'],
      results: ['value'],
      ...register,
    },
    {
      number: 6,
      name: 'set-register',
      summary: 'write a register',
      operands: ['register', 'value'],
      ...register,
    },
  ],
});
