// SPDX-License-Identifier: Apache-2.0
// The firmware of one remote killed over and over at random moments, under load in both directions on
// eight vdevs, while a second remote of the same daemon is used as ever. 200 deaths a board under
// `npm run soak`, 20 in CI.

import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { Prober } from '../support/latency.ts';
import { loadAll, untilAll, type VdevLoad } from '../support/load.ts';
import { randomGenerator } from '../support/random.ts';
import { channelPath, devicePath, type RpmsgClient, until } from '../support/rpmsg-client.ts';
import { residentBytes, SceneClient } from '../support/scene-client.ts';
import { isSoak, tenth } from '../support/soak.ts';

const boards = [
  {
    what: 'a system controller tells of it',
    soc: 'imx8qxp',
    core: 'cm40',
    bus: 'dbus-daemon system',
  },
  { what: 'its doorbell is all there is', soc: 'imx8mp', core: 'm7', bus: 'dbus-broker' },
] as const;
const vdevs = 8;
const rounds = tenth(200);
const longestLifeMs = 1_000;
/** What else the machine does can spoil a comparison of times, but not each of so many. */
const comparisons = 3;
const deadlineMs = comparisons * rounds * 4_000;
/** Until the code of daemon and test has been compiled for what it does here. */
const warmUpMs = 2_000;

let scene: SceneClient;
let client: RpmsgClient;

afterEach(() => scene?.stop());

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

interface Growth {
  readonly descriptors: number;
  readonly bytes: number;
}

function sizeOfDaemon(): Growth {
  const { pid } = scene.daemon.process;
  return { descriptors: readdirSync(`/proc/${pid}/fd`).length, bytes: residentBytes(pid) };
}

describe.each(boards)('where $what', ({ soc, core, bus }) => {
  const remote = `/org/rpmsg/${core}`;

  async function start(): Promise<VdevLoad[]> {
    const other = { name: 'm4', platform: 'sim', soc: 'imx8mm', vdevs: 1 };
    const config = { remote: [{ name: core, platform: 'sim', soc, vdevs }, other] };
    scene = await SceneClient.start({ bus, config });
    client = await scene.client();
    return await loadAll(() => scene.client(), core, vdevs, ['remote']);
  }

  /** Every channel is there again and carries messages of the life `generation`. */
  async function isBack(loads: readonly VdevLoad[], generation: number): Promise<void> {
    const before = loads.map(({ echoed }) => echoed);
    await until(`generation ${generation}`, async () => {
      return (await client.get(remote, 'Remote', 'Generation')) === generation;
    });
    await untilAll('every vdev echoes again', loads, ({ echoed }, vdev) => {
      return echoed > (before[vdev] ?? 0) + 8;
    });
  }

  test(
    `${rounds} deaths under load: all comes back, nothing hangs, a neighbour notices nothing`,
    async () => {
      const loads = await start();
      const neighbour = await scene.client();
      const echo = await neighbour.open(channelPath('m4', 0, 'echo'));
      await isBack(loads, 1);
      await sleep(warmUpMs);
      const below = randomGenerator(rounds);
      let deaths = 0;
      let early: Growth | undefined;
      /** As many deaths as rounds, each after as long a time without; the ratio of the two p99s. */
      async function compare(): Promise<number> {
        const prober = new Prober<'undisturbed' | 'disturbed'>(echo, 'undisturbed');
        for (let round = 1; round <= rounds; round++) {
          prober.phase = 'undisturbed';
          await sleep(below(longestLifeMs));
          prober.phase = 'disturbed';
          await sleep(below(longestLifeMs));
          process.kill(await scene.firmwarePid(core), 'SIGKILL');
          deaths += 1;
          await isBack(loads, deaths + 1);
          if (deaths === Math.ceil(rounds / 10)) early = sizeOfDaemon();
        }
        await prober.stop();
        return prober.quantile('disturbed', 0.99) / prober.quantile('undisturbed', 0.99);
      }
      let ratio = await compare();
      for (let again = 1; again < comparisons && ratio > 2; again++) ratio = await compare();
      await Promise.all(loads.map((load) => load.stop()));

      for (const load of loads) {
        expect(load.problems).toEqual([]);
        expect(load.unsent).toEqual([]);
        // Every send was put into the ring, once, or failed with an error.
        expect((await load.echo.stats())['tx_messages']).toBe(BigInt(load.sent));
        expect((await load.echo.stats())['rx_drops']).toBe(0n);
      }
      expect(await client.get(remote, 'Remote', 'State')).toBe('attached');
      expect(await client.get(remote, 'Remote', 'ResetCount')).toBe(deaths);
      for (let vdev = 0; vdev < vdevs; vdev++) {
        const stats = await client.deviceStats(devicePath(core, vdev));
        expect([stats['rx_faults'], stats['tx_faults'], stats['rx_malformed']]).toEqual([
          0n,
          0n,
          0n,
        ]);
      }
      expect(await client.get('/org/rpmsg/m4', 'Remote', 'Generation')).toBe(1);
      expect((await echo.stats())['rx_drops']).toBe(0n);
      expect(ratio).toBeLessThanOrEqual(2);
      const late = sizeOfDaemon();
      expect(late.descriptors).toBe(early?.descriptors);
      // The heap has found its size after some twenty deaths.
      if (isSoak) expect(late.bytes).toBeLessThanOrEqual((early?.bytes ?? 0) * 1.02);
    },
    deadlineMs,
  );
});
