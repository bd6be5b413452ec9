// SPDX-License-Identifier: Apache-2.0
// Several remotes at once, who gets which signal, and ends that do not wait.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { Child } from '../../packaging/dev/child.mjs';
import { Scene, type SceneOptions } from '../../packaging/dev/scene.mjs';
import { pingPong } from '../../src/cli/demo/ping-pong.ts';
import { Traffic } from '../../src/cli/demo/traffic.ts';
import { Peer } from '../../src/cli/dialogue/peer.ts';
import { connectBus } from '../../src/dbus/index.ts';

let cleanups: (() => Promise<unknown>)[];

beforeEach(() => {
  cleanups = [];
});
afterEach(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

async function start(options: SceneOptions = {}): Promise<Scene> {
  const scene = await Scene.start(options);
  cleanups.push(() => scene.stop());
  await scene.waitForChannels();
  return scene;
}

async function client(scene: Scene) {
  const bus = await connectBus(scene.address);
  cleanups.push(() => bus.close());
  return bus;
}

function m4(name: string) {
  return { name, platform: 'sim', soc: 'imx8qm', vdevs: 4 };
}

test('both cores of an i.MX8QM hold the dialogue on all eight vdevs at once', async () => {
  const scene = await start({ config: { remote: [m4('cm40'), m4('cm41')] } });
  const bus = await client(scene);
  const traffic = new Traffic();
  const channel = 'channel_rpmsg_2dopenamp_2ddemo_2dchannel';
  const vdevs = ['cm40', 'cm41'].flatMap((name) =>
    [0, 1, 2, 3].map((vdev) => `/org/rpmsg/${name}/vdev${vdev}/${channel}`),
  );
  const said = await Promise.all(vdevs.map((path) => pingPong(bus, path, traffic)));
  for (const text of said) expect(text).toMatch(/^"hello world!" 0 2 \.\.\. 102 "goodbye!"/);
  expect(traffic.receivedMessages).toBe(8 * 52);
  expect(await scene.stop()).toEqual({ code: 0, signal: null });
});

test('busctl monitor sees messages go to the subscriber alone', async () => {
  const scene = await start();
  const bus = await client(scene);
  const args = ['--system', '--json=short', 'monitor', 'org.rpmsg'];
  const env = { DBUS_SYSTEM_BUS_ADDRESS: scene.address };
  const monitor = new Child('busctl', 'busctl', args, { env });
  cleanups.push(() => monitor.stop());
  await monitor.said(/^Monitoring bus message stream\.$/m);
  const peer = await Peer.open(bus, '/org/rpmsg/cm40/vdev0/channel_echo');
  await peer.say(Buffer.from([1, 2, 3]));
  expect(await peer.next(20_000)).toEqual(Buffer.from([1, 2, 3]));
  await monitor.said(/"member":"MessageReceived"/);
  const signals = monitor.output
    .split('\n')
    .filter((line) => line.includes('"member":"MessageReceived"'))
    .map((line) => JSON.parse(line) as { destination?: string });
  expect(signals.map(({ destination }) => destination)).toEqual([bus.name]);
});

test('a second signal ends the daemon at once, whatever the first one waits for', async () => {
  const scene = await start();
  // A bus that has stopped keeps the daemon from giving its name back.
  scene.bus?.kill('SIGSTOP');
  scene.daemon.kill('SIGTERM');
  await scene.daemon.said(/stopping signal=SIGTERM/);
  scene.daemon.kill('SIGTERM');
  expect(await scene.daemon.exited).toEqual({ code: 1, signal: null });
  expect(scene.daemon.output).toContain('second signal: exiting at once');
  scene.bus?.kill('SIGCONT');
});
