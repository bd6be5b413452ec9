// SPDX-License-Identifier: Apache-2.0
// What most rows play on: a bus, a simulated board with firmware, and the daemon, all of them pinned.

import { Scene, type SceneOptions } from '../../packaging/dev/scene.mjs';
import { channelPath, RpmsgClient } from '../support/rpmsg-client.ts';
import { pinScene } from './pinning.ts';

/** On an i.MX8QXP, with this many vdevs. */
export interface Board {
  readonly vdevs: number;
  /** Whether every vdev stalls the remote rather than drop. */
  readonly isLossless?: boolean;
}

export function boardConfig({ vdevs, isLossless = false }: Board): object {
  const lossless = isLossless ? Array.from({ length: vdevs }, (_, vdev) => vdev) : [];
  return {
    remote: [{ name: 'cm40', platform: 'sim', soc: 'imx8qxp', vdevs, lossless }],
    // 64 calls of one client are in flight: none of them shall be refused while the firmware sleeps.
    // The endpoints of all rows are one uid's.
    limits: { sends_per_sender: 64, sends_per_endpoint: 64, endpoints_per_uid: 10_000 },
  };
}

export class Stage {
  readonly scene: Scene;

  private constructor(scene: Scene) {
    this.scene = scene;
  }

  /** Resolves when every channel is there. */
  static async set(board: Board, options: Partial<SceneOptions> = {}): Promise<Stage> {
    const scene = await Scene.start({ config: boardConfig(board), ...options });
    try {
      await scene.waitForChannels();
      pinScene(scene);
    } catch (error) {
      await scene.stop();
      throw error;
    }
    return new Stage(scene);
  }

  get address(): string {
    return this.scene.address;
  }

  get daemonPid(): number {
    return Number(this.scene.daemon.pid);
  }

  channel(name: string, vdev = 0): string {
    return channelPath('cm40', vdev, name);
  }

  /** Runs `work` with a client, which is gone afterwards with all it had. */
  async asClient<T>(work: (client: RpmsgClient) => Promise<T>): Promise<T> {
    const client = await RpmsgClient.connect(this.address);
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }

  /** How many messages the sink of a vdev has counted. */
  sunk(vdev = 0): Promise<number> {
    return this.asClient(async (client) => {
      const sink = await client.open(this.channel('sink', vdev));
      await sink.send(Buffer.from('stats?'));
      return Number((await sink.receiveData()).readBigUInt64LE());
    });
  }

  /** Stops all of it. */
  async strike(): Promise<void> {
    await this.scene.stop();
  }
}

/** Plays `work` on a stage, struck whatever comes of it. */
export async function onStage<T>(
  board: Board,
  options: Partial<SceneOptions>,
  work: (stage: Stage) => Promise<T>,
): Promise<T> {
  const stage = await Stage.set(board, options);
  try {
    return await work(stage);
  } finally {
    await stage.strike();
  }
}
