// SPDX-License-Identifier: Apache-2.0
// The daemon killed over and over at random moments, under load in both directions on eight vdevs, and
// started again each time: the remote notices nothing, no message is lost, doubled or altered, and
// only sends whose answer died with the daemon are in doubt. 200 deaths under `npm run soak`, 20 in CI.

import { afterEach, describe, expect, test } from 'vitest';
import { loadAll, untilAll, type VdevLoad } from '../support/load.ts';
import { randomGenerator } from '../support/random.ts';
import { channelPath, devicePath, type RpmsgClient } from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';
import { tenth } from '../support/soak.ts';

const boards = [
  { soc: 'imx8qxp', core: 'cm40', bus: 'dbus-daemon system' },
  { soc: 'imx8mp', core: 'm7', bus: 'dbus-broker' },
] as const;
const vdevs = 8;
const rounds = tenth(200);
const longestLifeMs = 300;

let scene: SceneClient;
let client: RpmsgClient;

afterEach(() => scene?.stop());

describe.each(boards)('on $soc, $bus', ({ soc, core, bus }) => {
  const remote = `/org/rpmsg/${core}`;

  /** Every vdev carries messages both ways. */
  async function flows(loads: readonly VdevLoad[]): Promise<void> {
    const before = loads.map(({ echoed, sourced }) => ({ echoed, sourced }));
    await untilAll('traffic on every vdev', loads, ({ echoed, sourced }, vdev) => {
      const { echoed: echoes = 0, sourced: sources = 0 } = before[vdev] ?? {};
      return echoed > echoes && sourced > sources;
    });
  }

  test(`${rounds} deaths under load: nothing is lost or doubled, and the remote notices nothing`, async () => {
    const config = { remote: [{ name: core, platform: 'sim', soc, vdevs }] };
    scene = await SceneClient.start({ bus, config });
    client = await scene.client();
    const sink = await client.open(channelPath(core, 0, 'sink'));
    const loads = await loadAll(() => scene.client(), core, vdevs, ['daemon']);
    const below = randomGenerator(rounds);
    let sunk = 0;
    for (let round = 1; round <= rounds; round++) {
      await flows(loads);
      await sink.send(Buffer.from(`${sunk++}`));
      await new Promise((resolve) => setTimeout(resolve, below(longestLifeMs)));
      await scene.daemon.restart('SIGKILL');
    }
    await flows(loads);
    await Promise.all(loads.map((load) => load.stop()));
    await untilAll('every echo', loads, ({ missing }) => missing.length === 0);

    for (const load of loads) {
      expect(load.problems).toEqual([]);
      expect(load.unsent).toEqual([]);
    }
    for (let vdev = 0; vdev < vdevs; vdev++) {
      const stats = await client.deviceStats(devicePath(core, vdev));
      for (const counter of ['rx_faults', 'tx_faults', 'rx_malformed', 'rx_drops']) {
        expect([counter, stats[counter]]).toEqual([counter, 0n]);
      }
    }
    // The firmware is in its first life, and has counted what was sent to it.
    expect((await scene.coreStatus(core)).lives).toBe(1);
    await sink.send(Buffer.from('stats?'));
    expect((await sink.receiveData()).readBigUInt64LE()).toBe(BigInt(sunk));
    expect(await client.get(remote, 'Remote', 'Generation')).toBe(1);
    expect(await client.get(remote, 'Remote', 'ResetCount')).toBe(0);
  });
});
