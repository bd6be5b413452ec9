// SPDX-License-Identifier: Apache-2.0
// Category 1: the host tells the M core what power mode it enters, and that it lives.

import { layout, u8 } from '../fields.ts';
import { commonCodes, defineService } from '../service.ts';

const modes = {
  0: 'hsrun',
  1: 'run',
  2: 'vlpr',
  3: 'wait',
  4: 'vlps',
  5: 'vlls',
  6: 'reboot',
  7: 'shutdown',
} as const;

export const lifeCycle = defineService({
  name: 'lifecycle',
  category: 1,
  channels: ['rpmsg-life-cycle-channel'],
  keys: [],
  code: { field: 'code', names: commonCodes, good: [0] },
  request: layout(11, [u8('mode', modes)]),
  reply: layout(11, [u8('code', commonCodes)]),
  notification: layout(11, [u8('data')]),
  commands: [
    {
      number: 0,
      name: 'mode',
      summary: 'tell the power mode that the host enters',
      operands: ['mode'],
    },
    {
      number: 1,
      name: 'heartbeat',
      summary: 'tell that the host lives, as Linux does each 30 s; it is not answered',
      kind: 'host-notification',
    },
  ],
});
