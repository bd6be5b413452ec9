// SPDX-License-Identifier: Apache-2.0
// From the doorbell of firmware that was started again to the last of its channels announced on the
// bus, as a client hears it: 8 vdevs of 16 channels each. On a board where nothing but the doorbell
// tells of the restart, so that fresh rings are part of it.

import { firmwareChannels, firmwareCommand, Scene } from '../../packaging/dev/scene.mjs';
import { RpmsgClient, SERVICE, until } from '../support/rpmsg-client.ts';
import { pinScene } from './pinning.ts';
import type { Row, RowContext, Samples } from './row.ts';

const vdevs = 8;
const channels = 16;
const remote = { name: 'cm40', platform: 'sim', soc: 'imx8qxp', vdevs };
const warmUpRounds = 5;
/** Its board starts firmware that lived longer at once. */
const shortestLifeMs = 1_000;

/** What the firmware wrote last, by the pattern's first group. */
function lastSaid(scene: Scene, pattern: RegExp): string | undefined {
  const output = scene.socs.map((soc) => soc.output).join('');
  return [...output.matchAll(pattern)].at(-1)?.[1];
}

class Rounds {
  readonly #scene: Scene;
  /** Channels announced since the last death, and when the last one was heard, in ns. */
  #announced = 0;
  #heardNs = 0n;

  private constructor(scene: Scene) {
    this.#scene = scene;
  }

  static async over(scene: Scene, client: RpmsgClient): Promise<Rounds> {
    const rounds = new Rounds(scene);
    const rule = { sender: SERVICE, interface: `${SERVICE}.Device`, member: 'ChannelAnnounced' };
    await client.bus.subscribe(rule, () => {
      rounds.#announced++;
      rounds.#heardNs = process.hrtime.bigint();
    });
    return rounds;
  }

  /** One death; resolves with the milliseconds from doorbell to last channel. */
  async next(): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, shortestLifeMs));
    this.#announced = 0;
    const pid = lastSaid(this.#scene, /firmware started pid (\d+)$/gm);
    const former = lastSaid(this.#scene, /^ready (\d+)$/gm);
    process.kill(Number(pid), 'SIGKILL');
    await until('every channel', () => this.#announced === vdevs * channels);
    const ready = await until('the time of the doorbell', () => {
      const said = lastSaid(this.#scene, /^ready (\d+)$/gm);
      return said === former ? undefined : said;
    });
    return Number(this.#heardNs - BigInt(ready)) / 1e6;
  }
}

async function measure({ rounds, signal, say }: RowContext): Promise<Samples> {
  const more = channels - firmwareChannels.length;
  const command = firmwareCommand(vdevs, `--channels ${more} --print-ready`);
  const scene = await Scene.start({
    config: { remote: [remote] },
    firmware: () => command,
    signal,
  });
  try {
    const client = await RpmsgClient.connect(scene.address);
    await scene.waitForChannels([`channel-${more}`]);
    pinScene(scene);
    const deaths = await Rounds.over(scene, client);
    const values: number[] = [];
    for (let round = -warmUpRounds; round < rounds; round++) {
      signal.throwIfAborted();
      const value = await deaths.next();
      say(`${round < 0 ? 'warm-up' : `round ${round + 1}`}: ${value.toFixed(2)} ms`);
      if (round >= 0) values.push(value);
    }
    await client.close();
    return { values };
  } finally {
    await scene.stop();
  }
}

export const recovery: Row = {
  name: 'recovery',
  what: `rxdb to every channel announced again, ${vdevs} vdevs x ${channels} channels`,
  unit: 'ms',
  goal: { limit: 20, is: 'at most' },
  measure,
};
