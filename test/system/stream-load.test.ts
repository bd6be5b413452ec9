// SPDX-License-Identifier: Apache-2.0
// Eight streams at once, each with traffic in both directions without a pause, on vdevs that stall
// rather than drop: nothing is lost, comes twice or in another order, or is altered, and nothing grows;
// also while the daemon is killed over and over. 10,000,000 messages and 200 deaths under
// `npm run soak`, a tenth in CI.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Child } from '../../packaging/dev/child.mjs';
import { compileHelper } from '../support/bus-process.ts';
import { randomGenerator } from '../support/random.ts';
import { channelPath, devicePath, RpmsgClient } from '../support/rpmsg-client.ts';
import { residentBytes, type SceneClient } from '../support/scene-client.ts';
import { managerCommand, ServiceManager } from '../support/service-manager.ts';
import { tenth } from '../support/soak.ts';
import { startStreamScene, streamRows } from '../support/stream-scene.ts';

const streams = 8;
/** Of all boards and tests together, so that each has its share. */
const messages = tenth(10_000_000) / streamRows.length;
const deaths = tenth(200) / streamRows.length;
const callsBefore = 8_000;
/** How many of one stream are on their way at most. */
const window = 128;
const longestDelayMs = 20;
/** So long for all of them, on a machine that does something else, too. */
const deadlineMs = 60_000 + messages / 2 + deaths * 10_000;

let directory: string;
let scene: SceneClient;
let client: Child | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rpmsg-load-'));
});
afterEach(async () => {
  await client?.stop('SIGKILL');
  await scene?.stop();
  rmSync(directory, { recursive: true, force: true });
});

interface Size {
  readonly descriptors: number;
  readonly bytes: number;
}

describe.each(streamRows)('on $bus, $soc', (row) => {
  const { core } = row;

  async function start(daemonLauncher: readonly string[] = []): Promise<void> {
    const lossless = Array.from({ length: streams }, (_, vdev) => vdev);
    const remote = { vdevs: streams, lossless };
    scene = await startStreamScene(row, {}, { remote, daemonLauncher });
  }

  function load(count: number): Child {
    const program = compileHelper('stream-load', ['systemd']);
    const channels = Array.from({ length: streams }, (_, vdev) => channelPath(core, vdev, 'echo'));
    const words = [scene.address, `${count}`, `${window}`, ...channels];
    client = new Child('stream-load', program, words);
    return client;
  }

  /**
   * After so many calls, each time: streams leave JavaScript with nothing to do, and while it is idle
   * its heap is now given back and now fills again, which says nothing of them.
   */
  async function measure(): Promise<Size> {
    const { pid } = scene.daemon.process;
    const descriptors = readdirSync(`/proc/${pid}/fd`).length;
    const caller = await RpmsgClient.connect(scene.address);
    const paths = Array.from({ length: streams }, (_, vdev) => devicePath(core, vdev));
    for (let call = 0; call < callsBefore; call += streams) {
      await Promise.all(paths.map((path) => caller.deviceStats(path)));
    }
    const bytes = residentBytes(pid);
    await caller.close();
    return { descriptors, bytes };
  }

  /** What the daemon counted is what the client did. */
  async function expectCounted(): Promise<void> {
    const looker = await RpmsgClient.connect(scene.address);
    for (let vdev = 0; vdev < streams; vdev++) {
      const stats = await looker.deviceStats(devicePath(core, vdev));
      for (const counter of ['rx_faults', 'tx_faults', 'rx_malformed', 'rx_drops']) {
        expect([counter, stats[counter]]).toEqual([counter, 0n]);
      }
    }
    expect(await looker.get(`/org/rpmsg/${core}`, 'Remote', 'ResetCount')).toBe(0);
    await looker.close();
  }

  test(
    `${messages} messages each way: all come back as they were, and nothing grows`,
    async () => {
      await start();
      const run = load(messages);
      await run.said(/^part 100$/m, deadlineMs);
      const early = await measure();
      await run.said(/^part 950$/m, deadlineMs);
      const late = await measure();
      expect(await run.exited).toEqual({ code: 0, signal: null });
      expect(run.output).toMatch(/^\d+ messages came back, 0 overrun, 0 refused$/m);
      expect(late.descriptors).toBe(early.descriptors);
      expect(late.bytes).toBeLessThanOrEqual(early.bytes * 1.02);
      await expectCounted();
    },
    deadlineMs,
  );

  test(
    `${messages} messages each way over ${deaths} deaths of the daemon: each exactly once`,
    async () => {
      await start(managerCommand(directory));
      const manager = new ServiceManager(scene.daemon.process);
      const below = randomGenerator(deaths);
      await manager.ready(1);
      const run = load(messages);
      for (let life = 1; life <= deaths; life++) {
        // Spread over all of them, each at another moment.
        const part = Math.floor((1000 * life) / (deaths + 1));
        await run.said(new RegExp(`^part ${part}$`, 'm'), deadlineMs);
        await new Promise((resolve) => setTimeout(resolve, below(longestDelayMs)));
        await manager.kill(life);
        await manager.ready(life + 1, deadlineMs);
      }
      expect(await run.exited).toEqual({ code: 0, signal: null });
      expect(run.output).toMatch(/^\d+ messages came back, 0 overrun, 0 refused$/m);
      await expectCounted();
    },
    deadlineMs,
  );
});
