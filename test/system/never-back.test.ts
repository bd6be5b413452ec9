// SPDX-License-Identifier: Apache-2.0
// A remote that dies and never comes back: clients are told, nothing hangs, nothing is used up, and
// everything else goes on. If it does come back after all, it is found without help.

import { afterEach, describe, expect, test } from 'vitest';
import {
  channelPath,
  devicePath,
  errorOf,
  NO_ADDRESS,
  type RpmsgClient,
  type RpmsgEndpoint,
  until,
} from '../support/rpmsg-client.ts';
import { cpuSeconds, SceneClient } from '../support/scene-client.ts';
import { Story } from '../support/story.ts';

const boards = [
  { soc: 'imx8qxp', core: 'cm40', bus: 'dbus-daemon system', isTold: true },
  { soc: 'imx8mp', core: 'm7', bus: 'dbus-broker', isTold: false },
] as const;
const idleMs = 5_000;

let scene: SceneClient;
let client: RpmsgClient;

afterEach(() => scene?.stop());

async function answers(endpoint: RpmsgEndpoint): Promise<boolean> {
  await endpoint.send(Buffer.from('still there?'));
  const { messages } = await endpoint.receive(1, 500);
  return messages[0]?.data.toString() === 'still there?';
}

/** What the daemon uses of a core while nobody asks it anything. */
async function load(): Promise<number> {
  const { pid } = scene.daemon.process;
  const before = cpuSeconds(pid);
  await new Promise((resolve) => setTimeout(resolve, idleMs));
  return (cpuSeconds(pid) - before) / (idleMs / 1_000);
}

describe.each(boards)('on $soc', ({ soc, core, bus, isTold }) => {
  const remote = `/org/rpmsg/${core}`;
  const device = devicePath(core, 0);

  async function start(): Promise<void> {
    const other = { name: 'm4', platform: 'sim', soc: 'imx8mm', vdevs: 1 };
    const config = {
      limits: { send_timeout_ms: 200 },
      remote: [{ name: core, platform: 'sim', soc, vdevs: 8 }, other],
    };
    scene = await SceneClient.start({ bus, config });
    client = await scene.client();
  }

  test('clients are told, the daemon idles, and a later life is found without help', async () => {
    await start();
    const bound = await client.open(channelPath(core, 0, 'echo'));
    const fixed = await client.create(device, NO_ADDRESS, 30);
    const neighbour = await client.open(channelPath('m4', 0, 'echo'));
    expect(await answers(bound)).toBe(true);
    const story = await Story.of(client, core);
    await scene.board(core, 'hold', core);
    await scene.board(core, 'kill', core);
    await until('its end', async () => (await scene.coreStatus(core)).state === 'held');
    if (isTold) {
      for (let vdev = 0; vdev < 8; vdev++) await story.until(`vdev${vdev}`, '!ChannelWithdrawn');
      await story.until('', 'State', 'waiting');
      expect(await bound.get('Connected')).toBe(false);
      expect(await errorOf(bound.send(Buffer.from('x')))).toMatch(
        /Error\.(RemoteDown|NotConnected): /,
      );
    }
    // Nobody takes what is sent to an address that was agreed on: the ring fills, and says so.
    await until('a full ring', async () => {
      const failed = fixed.trySend(Buffer.from('x')).then(
        () => '',
        (error: Error) => error.name,
      );
      return (await failed).endsWith('.WouldBlock');
    });
    expect(await errorOf(fixed.send(Buffer.from('x')))).toMatch(/Error\.TimedOut: .* 200 ms/);
    expect(await load()).toBeLessThanOrEqual(0.01);
    expect(await client.get(remote, 'Remote', 'State')).toBe(isTold ? 'waiting' : 'attached');
    expect(await answers(neighbour)).toBe(true);

    await scene.board(core, 'release', core);
    for (const endpoint of [bound, fixed]) {
      await until('an answer', () => answers(endpoint).catch(() => false));
    }
    expect(await client.get(remote, 'Remote', 'State')).toBe('attached');
    expect(await client.get(remote, 'Remote', 'ResetCount')).toBe(1);
  });
});
