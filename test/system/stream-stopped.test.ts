// SPDX-License-Identifier: Apache-2.0
// A stream's client that stops for ten seconds, as one in a debugger does: what it is held loses nothing,
// what is beyond is dropped and told of to the last message, and another endpoint of the same vdev
// notices nothing.

import { afterEach, describe, expect, test } from 'vitest';
import { Child } from '../../packaging/dev/child.mjs';
import { compileHelper } from '../support/bus-process.ts';
import { Prober } from '../support/latency.ts';
import { channelPath, type RpmsgClient } from '../support/rpmsg-client.ts';
import type { SceneClient } from '../support/scene-client.ts';
import { startStreamScene, streamRows } from '../support/stream-scene.ts';

const stoppedMs = 10_000;
/** What else the machine does can spoil a comparison of times, but not each of so many. */
const comparisons = 3;
const deadlineMs = 60_000 + comparisons * 2 * stoppedMs;
/** Until the code of daemon and test has been compiled for what it does here. */
const warmUpMs = 2_000;
const hold = 200;
/** Packets of the stream's client that its socket takes by itself, at least. */
const socketHolds = 100;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Told {
  readonly received: number;
  readonly first: number;
  readonly missing: number;
  readonly overrun: number;
}

describe.each(streamRows)('on $bus, $soc', (row) => {
  let scene: SceneClient;
  let client: RpmsgClient;
  let reader: Child | undefined;

  afterEach(async () => {
    await reader?.stop('SIGKILL');
    await scene?.stop();
  });

  async function read(count: number, intervalMs: number): Promise<Child> {
    const program = compileHelper('stream-reader', ['systemd']);
    const source = channelPath(row.core, 0, 'source');
    const words = [scene.address, source, `${hold}`, `${count}`, `${intervalMs}`];
    reader = new Child('stream-reader', program, words);
    await reader.said(/^reading$/m);
    return reader;
  }

  async function outcome(child: Child): Promise<Told> {
    expect(await child.exited).toEqual({ code: 0, signal: null });
    const line =
      /^(\d+) received, (\d+) first without a gap after the longest pause, (\d+) missing, (\d+) overrun$/m;
    const [, received, first, missing, overrun] = (line.exec(child.output) ?? []).map(Number);
    return { received, first, missing, overrun } as Told;
  }

  test(
    'loses nothing that it is held, is told of the rest, and nobody else waits for it',
    async () => {
      scene = await startStreamScene(row);
      client = await scene.client();
      const echo = await client.open(channelPath(row.core, 0, 'echo'));
      const prober = new Prober<'warming' | 'undisturbed' | 'disturbed'>(echo, 'warming');
      await sleep(warmUpMs);
      /** The ratio of the two p99s. */
      async function compare(): Promise<number> {
        // One a millisecond, until well after the client goes on.
        const count = 3 * stoppedMs;
        const child = await read(count, 1);
        prober.phase = 'undisturbed';
        await sleep(stoppedMs);
        child.kill('SIGSTOP');
        prober.phase = 'disturbed';
        await sleep(stoppedMs);
        child.kill('SIGCONT');
        prober.phase = 'warming';
        const told = await outcome(child);
        expect(told.received + told.missing).toBe(count);
        // Far more came than the socket and the hold take.
        expect(told.missing).toBeGreaterThan(0);
        expect(told.overrun).toBe(told.missing);
        expect(told.first).toBeGreaterThanOrEqual(hold + socketHolds);
        return prober.quantile('disturbed', 0.99) / prober.quantile('undisturbed', 0.99);
      }
      let ratio = await compare();
      for (let again = 1; again < comparisons && ratio > 2; again++) ratio = await compare();
      await prober.stop();
      expect(ratio).toBeLessThanOrEqual(2);
      expect((await echo.stats())['rx_drops']).toBe(0n);
    },
    deadlineMs,
  );

  test.each([
    { where: 'as long as no more comes than is held', lossless: [], count: hold },
    { where: 'however much there is, on a vdev that is lossless', lossless: [0], count: 5_000 },
  ])('loses nothing $where', async ({ lossless, count }) => {
    scene = await startStreamScene(row, {}, { remote: { lossless } });
    const child = await read(count, 1);
    child.kill('SIGSTOP');
    await sleep(2_000);
    child.kill('SIGCONT');
    expect(await outcome(child)).toMatchObject({ received: count, missing: 0, overrun: 0 });
  });
});
