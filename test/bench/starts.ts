// SPDX-License-Identifier: Apache-2.0
// How long the daemon takes to be of use: from its start to READY, and from its death to the remote's
// being drained again. Both against what Node alone takes to start and end.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Scene } from '../../packaging/dev/scene.mjs';
import { channelPath, type Message, RpmsgClient, until } from '../support/rpmsg-client.ts';
import { managerCommand, ServiceManager } from '../support/service-manager.ts';
import { daemonCpu, pinned, pinScene } from './pinning.ts';
import { sideBySide } from './rounds.ts';
import type { Row, RowContext, Samples } from './row.ts';
import { boardConfig } from './stage.ts';
import { nodeMs, Timed } from './timed.ts';

const vdevs = 8;
const paceMs = 1;
/** Between two deaths: the daemon has been READY, and this many messages have come. */
const livelyMessages = 100;

/** A board whose firmware is attached, and a bus, for a daemon that is started by a manager. */
export async function prepareScene(signal: AbortSignal): Promise<Scene> {
  const scene = await Scene.start({ config: boardConfig({ vdevs }), withoutDaemon: true, signal });
  try {
    await Promise.all(scene.socs.map((soc) => soc.said(/firmware attached/)));
    pinScene(scene);
  } catch (error) {
    await scene.stop();
    throw error;
  }
  return scene;
}

/** From exec to READY, in ms: the first daemon of a fresh board. It lives on for so long. */
async function readyMs(signal: AbortSignal, livesMs = 0): Promise<number> {
  const scene = await prepareScene(signal);
  try {
    const daemon = await Timed.start(scene.daemonCommand());
    const ready = await daemon.ready();
    if (livesMs > 0) await delay(livesMs);
    await daemon.stop();
    return Number(ready - daemon.startedNs) / 1e6;
  } finally {
    await scene.stop();
  }
}

/** Traffic that goes on as long as anyone drains the remote, each message with the time of that. */
class Deaths {
  readonly #manager: ServiceManager;
  readonly #times: bigint[] = [];
  #life = 1;

  private constructor(manager: ServiceManager) {
    this.#manager = manager;
  }

  static async under(manager: ServiceManager, client: RpmsgClient): Promise<Deaths> {
    const deaths = new Deaths(manager);
    const source = await client.open(channelPath('cm40', 0, 'source'));
    await source.subscribe(({ timeNs }: Message) => {
      deaths.#times.push(timeNs);
    });
    await source.send(Buffer.from(Uint32Array.of(0xffffffff, 16, paceMs).buffer));
    return deaths;
  }

  /** One death, in ms from it to the first message that was taken from the ring after it. */
  async gapMs(): Promise<number> {
    const pid = await this.#manager.ready(this.#life);
    const seen = this.#times.length;
    await until('traffic', () => this.#times.length > seen + livelyMessages);
    const killedNs = process.hrtime.bigint(); // CLOCK_MONOTONIC, as the daemon's times
    process.kill(pid, 'SIGKILL');
    await this.#manager.ready(++this.#life);
    const first = await until('a message', () => this.#times.find((time) => time > killedNs));
    this.#times.length = 0;
    return Number(first - killedNs) / 1e6;
  }
}

/** A daemon that is started again at once by a service manager, both on the daemon's CPU. */
async function underManager<T>(
  signal: AbortSignal,
  work: (scene: Scene) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'rpmsg-manager-'));
  const [program = '', ...words] = managerCommand(directory);
  const daemonLauncher = pinned(daemonCpu, program, words);
  const scene = await Scene.start({ config: boardConfig({ vdevs }), daemonLauncher, signal });
  try {
    await scene.waitForChannels();
    pinScene(scene);
    return await work(scene);
  } finally {
    await scene.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function measureGap(context: RowContext): Promise<Samples> {
  return underManager(context.signal, async (scene) => {
    const client = await RpmsgClient.connect(scene.address);
    const deaths = await Deaths.under(new ServiceManager(scene.daemon), client);
    const samples = await sideBySide(context, 'a death', () => deaths.gapMs(), nodeMs);
    await client.close();
    return samples;
  });
}

/** As on a machine where it was installed: what V8 made of the program is kept once, after READY. */
async function measureReady(context: RowContext): Promise<Samples> {
  await readyMs(context.signal, 2_000);
  return await sideBySide(context, 'a start', () => readyMs(context.signal), nodeMs);
}

const goal = { limit: 2, is: 'at most' } as const;

export const readyTime: Row = {
  name: 'ready_time',
  what: `exec to READY, ${vdevs} vdevs, against \`node -e 0\``,
  unit: 'ms',
  goal,
  measure: measureReady,
};

export const restartGap: Row = {
  name: 'restart_gap',
  what: `SIGKILL to the remote drained again, ${vdevs} vdevs, restarted at once, against \`node -e 0\``,
  unit: 'ms',
  goal,
  measure: measureGap,
};
