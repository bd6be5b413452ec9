// SPDX-License-Identifier: Apache-2.0
// The program traffic.c in a machine: messages both ways over whatever happens to the daemon.

import { CountingClient } from './counting-client.ts';
import type { Machine } from './machine.ts';

/** What became of every message; traffic.c counts. */
export interface Verdict {
  /** Calls that were answered: in the ring. */
  readonly sent: number;
  /** Calls that were told that nothing was sent. */
  readonly refused: number;
  /** Calls whose daemon died before it answered. */
  readonly doubtful: number;
  /** Sent, and no echo. */
  readonly lost: number;
  /** Echoed twice, as different messages. */
  readonly doubled: number;
  /** Refused, and echoed all the same. */
  readonly untrue: number;
  /** Numbers left out between two messages of an endpoint. */
  readonly gaps: number;
  /** Messages that came again under the same number. */
  readonly repeated: number;
  /** Orders to `source` that were taken, of so many messages each. */
  readonly orders: number;
  readonly ordersDoubtful: number;
  /** How often the rarest and the most frequent message of an order came. */
  readonly leastOfOrder: number;
  readonly mostOfOrder: number;
  /** Errors that no restart explains, and the last one's name. */
  readonly unexpected: number;
  readonly unexpectedName: string;
  /** Between which times (CLOCK_MONOTONIC in ms) no message was taken from the ring. */
  readonly pauses: readonly (readonly [number, number])[];
}

const device = '/org/rpmsg/cm40/vdev0';

export class Traffic extends CountingClient<Verdict> {
  /** Resolves when messages come. */
  static async start(machine: Machine): Promise<Traffic> {
    const channels = [`${device}/channel_echo`, `${device}/channel_source`];
    const traffic = new Traffic(machine, 'traffic', channels);
    await traffic.lives(1);
    return traffic;
  }
}
