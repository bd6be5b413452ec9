// SPDX-License-Identifier: Apache-2.0
// Category 6: the clock that the M core owns, in seconds since 1970, and its alarm.

import { gap, layout, u8, u32 } from '../fields.ts';
import { commonCodes, defineService } from '../service.ts';

const clock = [u32('time', 'time'), u8('enable', 'switch'), u8('pending', 'switch')];
const request = layout(18, [gap(2), ...clock]);

export const rtc = defineService({
  name: 'rtc',
  category: 6,
  channels: ['rpmsg-rtc-channel'],
  keys: [],
  code: { field: 'code', names: commonCodes, good: [0] },
  request,
  reply: layout(18, [gap(1), u8('code', commonCodes), ...clock]),
  notification: layout(18, [gap(2), ...clock], { leastBytes: 10 }),
  commands: [
    { number: 1, name: 'get', summary: 'read the clock', results: ['time'] },
    { number: 0, name: 'set', summary: 'set the clock', operands: ['time'] },
    {
      number: 3,
      name: 'get-alarm',
      summary: 'read the alarm',
      results: ['time', 'enable', 'pending'],
    },
    {
      number: 2,
      name: 'set-alarm',
      summary: 'set the alarm, and switch it on or off',
      operands: ['time', 'enable'],
    },
    {
      number: 4,
      name: 'enable-alarm',
      summary: 'switch the alarm on or off',
      operands: ['enable'],
    },
    { number: 0, name: 'alarm', summary: 'the alarm went off', kind: 'remote-notification' },
  ],
});
