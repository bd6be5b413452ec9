// SPDX-License-Identifier: Apache-2.0
// Category 4: keys that the M core watches.

import { layout, u8 } from '../fields.ts';
import { commonCodes, defineService } from '../service.ts';

const events = { 1: 'press', 2: 'release', 3: 'both' } as const;
const packet = layout(13, [u8('key'), u8('event', events), u8('wakeup', 'switch')]);

export const key = defineService({
  name: 'key',
  category: 4,
  channels: ['rpmsg-keypad-channel'],
  keys: ['key'],
  code: { field: 'code', names: commonCodes, good: [0] },
  request: packet,
  reply: layout(13, [u8('key'), u8('code', commonCodes), u8('wakeup', 'switch')]),
  commands: [
    {
      number: 0,
      name: 'setup',
      summary: 'say which events of a key are told, and whether it wakes the host',
      operands: ['key', 'event', 'wakeup'],
    },
    {
      number: 0,
      name: 'event',
      summary: 'a key was pressed or released',
      kind: 'remote-notification',
      operands: ['key', 'event'],
    },
  ],
});
