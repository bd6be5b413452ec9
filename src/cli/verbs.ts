// SPDX-License-Identifier: Apache-2.0
// Every verb of rpmsgctl, in the order in which the help shows them.

import { call } from './call.ts';
import { capture } from './capture.ts';
import { clientSample } from './client-sample.ts';
import { complete } from './complete.ts';
import { doctor } from './doctor.ts';
import { list } from './list.ts';
import { listen } from './listen.ts';
import { monitor } from './monitor.ts';
import { nxp } from './nxp.ts';
import { open } from './open.ts';
import { ping } from './ping.ts';
import { pingpong } from './pingpong.ts';
import { receive } from './receive.ts';
import { reinitialize } from './reinitialize.ts';
import { send } from './send.ts';
import { sim } from './sim.ts';
import { status } from './status.ts';
import { stream } from './stream.ts';
import { top } from './top.ts';
import { trace } from './trace.ts';
import type { Verb } from './verb.ts';
import { version } from './version.ts';
import { wait } from './wait.ts';

export const verbs: readonly Verb[] = [
  ...[list, status, monitor, top, wait],
  ...[send, receive, listen, call, open, stream],
  ...[ping, pingpong, clientSample],
  ...[trace, capture, nxp, reinitialize, doctor, sim, version],
  complete,
];
