// SPDX-License-Identifier: Apache-2.0
// Deaths of both sides in every order, and notices of a reset that come late, twice, in the wrong
// order or not at all: each time the channels are back without anyone's help, on the same objects,
// with traffic in both directions all the while.

import { afterEach, describe, expect, test } from 'vitest';
import { isOpenamp } from '../../packaging/dev/scene.mjs';
import { loadAll, type Mortal, untilAll, type VdevLoad } from '../support/load.ts';
import { channelPath, type RpmsgClient, until } from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';
import { tenth } from '../support/soak.ts';
import { Story } from '../support/story.ts';

const announcing = { soc: 'imx8qxp', core: 'cm40', bus: 'dbus-daemon system' } as const;
const ringing = { soc: 'imx8mp', core: 'm7', bus: 'dbus-broker' } as const;
const vdevs = 4;
const rounds = tenth(20);

type Board = typeof announcing | typeof ringing;

let scene: SceneClient;
let client: RpmsgClient;
let loads: VdevLoad[] = [];

afterEach(async () => {
  await scene?.stop();
});

async function start({ soc, core, bus }: Board, mortals: readonly Mortal[]): Promise<void> {
  scene = await SceneClient.start({
    bus,
    config: { remote: [{ name: core, platform: 'sim', soc, vdevs }] },
  });
  client = await scene.client();
  loads = await loadAll(() => scene.client(), core, vdevs, mortals);
}

function property(core: string, name: string): Promise<unknown> {
  return client.get(`/org/rpmsg/${core}`, 'Remote', name).catch(() => undefined);
}

/** The daemon knows of so many resets, and every vdev carries messages again. */
async function isBack(core: string, resets: number): Promise<void> {
  await until(`reset ${resets}`, async () => Number(await property(core, 'ResetCount')) >= resets);
  const before = loads.map(({ echoed }) => echoed);
  await untilAll('traffic on every vdev', loads, ({ echoed }, vdev) => {
    return echoed > (before[vdev] ?? 0) + 8;
  });
}

/** Ends the traffic, and looks at what it was. */
async function finish(core: string, resets: number): Promise<void> {
  await Promise.all(loads.map((load) => load.stop()));
  for (const load of loads) {
    expect(load.problems).toEqual([]);
    expect(load.unsent).toEqual([]);
  }
  expect(await property(core, 'ResetCount')).toBe(resets);
  expect(await property(core, 'State')).toBe('attached');
  const channel = await client.open(channelPath(core, 0, 'echo'));
  await channel.send(Buffer.from('after it all'));
  expect((await channel.receiveData()).toString()).toBe('after it all');
}

async function nextStart(core: string, lives: number): Promise<void> {
  await until('its next life', async () => {
    const status = await scene.coreStatus(core);
    return status.lives > lives && status.state === 'running';
  });
}

/** Ends the daemon and waits for that; what it returns starts the next one. */
async function endDaemon(): Promise<() => Promise<void>> {
  const { process: daemon, scene: parts } = scene.daemon;
  daemon.kill('SIGKILL');
  await daemon.exited;
  return () => parts.startDaemon();
}

type Death = (core: string, lives: number) => Promise<void>;

const deaths: readonly (readonly [string, Death])[] = [
  [
    'the host first',
    async (core) => {
      const startAgain = await endDaemon();
      const isStarted = startAgain();
      await scene.board(core, 'kill', core);
      await isStarted;
    },
  ],
  [
    'the remote first',
    async (core) => {
      await scene.board(core, 'kill', core);
      await (await endDaemon())();
    },
  ],
  [
    'both together',
    async (core) => {
      const killed = scene.board(core, 'kill', core);
      const startAgain = await endDaemon();
      await killed;
      await startAgain();
    },
  ],
  [
    'the remote while the daemon is down',
    async (core, lives) => {
      const startAgain = await endDaemon();
      await scene.board(core, 'kill', core);
      await nextStart(core, lives);
      await startAgain();
    },
  ],
  [
    'the remote while the daemon is stopped by SIGSTOP',
    async (core, lives) => {
      scene.daemon.process.kill('SIGSTOP');
      await scene.board(core, 'kill', core);
      await nextStart(core, lives);
      scene.daemon.process.kill('SIGCONT');
    },
  ],
];

describe.each([announcing, ringing])('on $soc', (board) => {
  const { core } = board;

  test.each(deaths)(
    `%s, ${rounds} times: one reset each, and all is back`,
    async (_what, death) => {
      await start(board, ['remote', 'daemon']);
      await isBack(core, 0);
      for (let round = 1; round <= rounds; round++) {
        await death(core, (await scene.coreStatus(core)).lives);
        await isBack(core, round);
      }
      await finish(core, rounds);
    },
  );

  test('with no delay before it starts again, time after time', async () => {
    await start(board, ['remote']);
    await scene.board(core, 'start-delay', core, '0');
    await isBack(core, 0);
    for (let round = 1; round <= 5; round++) {
      await scene.board(core, 'kill', core);
      await isBack(core, round);
    }
    await finish(core, 5);
  });
});

describe('where a system controller tells of it', () => {
  const { core } = announcing;

  test('a dying firmware goes on writing until it is gone', async () => {
    await start(announcing, ['remote']);
    await isBack(core, 0);
    for (let round = 1; round <= 5; round++) {
      await scene.board(core, 'reset', core, '50');
      await isBack(core, round);
    }
    await finish(core, 5);
  });

  test('a core that locks up is reset by its watchdog', async () => {
    await start(announcing, ['remote']);
    await scene.board(core, 'lockup', core);
    await isBack(core, 1);
    await finish(core, 1);
  });

  test.each([
    ['REBOOTED is read late', '60'],
    ['rxdb comes first', '25'],
  ])('%s: one reset all the same', async (_what, delayMs) => {
    await start(announcing, ['remote']);
    await scene.board(core, 'start-delay', core, '0');
    await scene.board(core, 'scu-delay', delayMs);
    await isBack(core, 0);
    for (let round = 1; round <= 3; round++) {
      await scene.board(core, 'kill', core);
      await isBack(core, round);
    }
    await finish(core, 3);
  });

  test('SCFW does not answer at all', async () => {
    await start(announcing, ['remote']);
    await isBack(core, 0);
    await scene.board(core, 'scu-drop', '1000');
    await scene.board(core, 'kill', core);
    await isBack(core, 1);
    await finish(core, 1);
  });

  test('REBOOTED comes twice', async () => {
    await start(announcing, ['remote']);
    await isBack(core, 0);
    // The second one while the core is still off: it is the same reset.
    await scene.board(core, 'start-delay', core, '200');
    await scene.board(core, 'kill', core);
    await until('waiting', async () => (await property(core, 'State')) === 'waiting');
    await scene.board(core, 'notify', core, 'rebooted');
    await isBack(core, 1);
    await finish(core, 1);
  });

  test('REBOOT comes, and nothing after it: all goes on as before', async () => {
    await start(announcing, ['remote']);
    await isBack(core, 0);
    const story = await Story.of(client, core);
    await scene.board(core, 'notify', core, 'reboot');
    await story.until('', 'State', 'quiescing');
    await story.until('', 'State', 'attached');
    await isBack(core, 0);
    await finish(core, 0);
    expect(story.all('vdev0', '!ChannelWithdrawn')).toEqual([]);
  });

  test('nobody tells of a restart but the doorbell', async () => {
    await start(announcing, ['remote']);
    await isBack(core, 0);
    await scene.board(core, 'silent-restart', core);
    await isBack(core, 1);
    const [, cause] = (await property(core, 'LastReset')) as [bigint, string];
    // A new resource table says it, too, and may be seen first.
    expect(isOpenamp ? ['rxdb', 'status'] : ['rxdb']).toContain(cause);
    await finish(core, 1);
  });
});
