// SPDX-License-Identifier: Apache-2.0
// Every verb of rpmsgctl, in the order in which the help shows them.

import { capture } from './capture.ts';
import { call } from './call.ts';
import { complete } from './complete.ts';
import { doctor } from './doctor.ts';
import { list } from './list.ts';
import { nxp } from './nxp.ts';
import { open } from './open.ts';
import { receive } from './receive.ts';
import { send } from './send.ts';
import { sim } from './sim.ts';
import { status } from './status.ts';
import { stream } from './stream.ts';
import { trace } from './trace.ts';
import type { Verb } from './verb.ts';
import { version } from './version.ts';

export const verbs: readonly Verb[] = [
  list,
  open,
  stream,
  trace,
  capture,
  status,
  send,
  receive,
  call,
  open,
  stream,
  trace,
  nxp,
  doctor,
  sim,
  version,
  complete,
];
