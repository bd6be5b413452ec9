// SPDX-License-Identifier: Apache-2.0
// All rows, in the order of the table.

import { busSendPipelined, busSendSync, busSignal } from './bus-calls.ts';
import { endpoints1000Rtt } from './endpoints.ts';
import { rssIdle, rssPerEndpoint } from './memory.ts';
import { recovery } from './recovery.ts';
import type { Row } from './row.ts';
import { readyTime, restartGap } from './starts.ts';
import { streamRtt, streamRx, streamTx } from './streams.ts';

export const rows: readonly Row[] = [
  busSendSync,
  busSendPipelined,
  busSignal,
  streamTx,
  streamRx,
  streamRtt,
  readyTime,
  restartGap,
  rssIdle,
  rssPerEndpoint,
  endpoints1000Rtt,
  recovery,
];
