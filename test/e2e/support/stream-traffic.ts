// SPDX-License-Identifier: Apache-2.0
// The program stream-traffic.c in a machine: packets both ways through a stream over whatever happens
// to the daemon and to the remote.

import { CountingClient } from './counting-client.ts';
import { echo } from './installed.ts';
import type { Machine } from './machine.ts';

/** What became of every packet; stream-traffic.c counts. */
export interface StreamVerdict {
  /** Packets that the socket took. */
  readonly sent: number;
  readonly echoed: number;
  /** That came twice, or behind one that was sent after it. */
  readonly repeated: number;
  /** That nobody had sent like that. */
  readonly altered: number;
  /** Sent last, and not come back in the end. */
  readonly missing: number;
  /** Numbers left out between two that came back: the first of them, and how many. */
  readonly gaps: readonly (readonly [number, number])[];
  /** How often the stream came to its end. */
  readonly ends: number;
  /** How often ECONNRESET told that the daemon had not taken every packet by then. */
  readonly peerResets: number;
  /** Told by the signals Overrun and PacketRefused. */
  readonly overruns: number;
  readonly refusals: number;
  /** Of the endpoint, in the end. */
  readonly stats: Readonly<Record<string, number>>;
}

export class StreamTraffic extends CountingClient<StreamVerdict> {
  /** Resolves when packets come back. */
  static async start(machine: Machine): Promise<StreamTraffic> {
    const traffic = new StreamTraffic(machine, 'stream-traffic', [echo]);
    await traffic.lives(1);
    return traffic;
  }

  /** Waits until packets have come back in so many further lives of the remote. */
  async remoteLives(count: number): Promise<void> {
    await this.said('BACK', count);
  }
}
