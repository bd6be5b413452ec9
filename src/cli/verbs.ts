// SPDX-License-Identifier: Apache-2.0
// Every verb of rpmsgctl, in the order in which the help shows them.

import { capture } from './capture.ts';
import { doctor } from './doctor.ts';
import { list } from './list.ts';
import { nxp } from './nxp.ts';
import { open } from './open.ts';
import { sim } from './sim.ts';
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
  nxp,
  doctor,
  sim,
  version,
];
