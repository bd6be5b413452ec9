// SPDX-License-Identifier: Apache-2.0
// Orderly restarts under traffic both ways: every send ends by name, what was sent comes back once,
// and nobody is sent anything twice.

import { afterEach, expect, test } from 'vitest';
import { channelPath, type RpmsgEndpoint, until } from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';

const rounds = 5;
/** How a call may end because the daemon stops, or before the next one is there. */
const isRefusal = /^org\.rpmsg\.Error\.ShuttingDown|^org\.freedesktop\.DBus\.Error\.ServiceUnknown/;
let scene: SceneClient;

afterEach(async () => {
  await scene?.stop();
});

const pause = () => new Promise((resolve) => setTimeout(resolve, 2));

/** Sends numbered texts one after the other, each again until it is taken. */
class Sender {
  taken = 0;
  readonly strange: string[] = [];
  #isOver = false;
  readonly #work: Promise<void>;

  constructor(endpoint: RpmsgEndpoint) {
    this.#work = this.#run(endpoint);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#work;
  }

  async #run(endpoint: RpmsgEndpoint): Promise<void> {
    while (!this.#isOver) {
      try {
        await endpoint.send(Buffer.from(`${this.taken}`));
        this.taken++;
      } catch (error) {
        const { name, message } = error as Error;
        if (!isRefusal.test(name)) this.strange.push(`${name}: ${message}`);
        await pause();
      }
    }
  }
}

test.each(['dbus-daemon system', 'dbus-broker'] as const)('on %s', async (bus) => {
  scene = await SceneClient.start({ bus });
  const client = await scene.client();
  const subscribed = await client.open(channelPath('cm40', 0, 'echo'));
  const read = await client.open(channelPath('cm40', 1, 'echo'));
  const heard: [seq: number, text: string][] = [];
  const received: [seq: number, text: string][] = [];
  await subscribed.subscribe(({ seq, data }) => heard.push([Number(seq), data.toString()]));
  const receive = async () => {
    const { messages } = await read.receive(64, 100);
    for (const { seq, data } of messages) received.push([Number(seq), data.toString()]);
  };
  const senders = [new Sender(subscribed), new Sender(read)];
  for (let round = 0; round < rounds; round++) {
    const before = senders.map(({ taken }) => taken);
    await until('traffic', () => senders.every(({ taken }, n) => taken > (before[n] ?? 0) + 5));
    const reading = receive().catch(() => {});
    await scene.daemon.restart('SIGTERM');
    await reading;
  }
  for (const sender of senders) await sender.stop();
  await until('the last answer', () => heard.length >= (senders[0]?.taken ?? 0));
  await until('the last message', async () => {
    await receive();
    return received.length >= (senders[1]?.taken ?? 0);
  });
  for (const [index, story] of [heard, received].entries()) {
    const taken = senders[index]?.taken ?? 0;
    expect(senders[index]?.strange).toEqual([]);
    expect(story).toEqual(Array.from({ length: taken }, (_, n) => [n, `${n}`]));
  }
});
