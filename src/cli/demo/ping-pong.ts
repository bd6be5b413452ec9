// SPDX-License-Identifier: Apache-2.0
// The ping-pong dialogue for the demo: one after the other, each in a line.

import type { Bus } from '../../dbus/index.ts';
import { Peer } from '../dialogue/peer.ts';
import { pingPong as script } from '../dialogue/scripts.ts';
import type { Traffic } from './traffic.ts';

const timeoutMs = 20_000;

/** Holds one dialogue to its end; resolves with what was said, for a person. */
export async function pingPong(bus: Bus, channel: string, traffic: Traffic): Promise<string> {
  const peer = await Peer.open(bus, channel, traffic);
  const started = performance.now();
  const answers = await script(peer, { timeoutMs });
  const tookMs = (performance.now() - started).toFixed(1);
  await peer.close();
  const [first, second] = answers;
  return `"hello world!" ${first} ${second} ... ${answers.at(-1)} "goodbye!" (${answers.length} answers in ${tookMs} ms)`;
}
