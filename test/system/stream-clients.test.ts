// SPDX-License-Identifier: Apache-2.0
// A stream as a program with GLib uses it: it gets its packets back, through a reset of the remote and
// the death of the daemon. Other languages: examples.test.ts.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { compileHelper } from '../support/bus-process.ts';
import { Interactive } from '../support/interactive.ts';
import { channelPath, until } from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';
import { managerCommand, ServiceManager } from '../support/service-manager.ts';

const remote = { name: 'cm40', platform: 'sim', soc: 'imx8qxp', vdevs: 1 };
const echo = channelPath('cm40', 0, 'echo');
const directory = mkdtempSync(join(tmpdir(), 'rpmsg-streams-'));

let scene: SceneClient;
let manager: ServiceManager;
let lives = 1;
let client: Interactive;

beforeAll(async () => {
  const config = { remote: [remote] };
  scene = await SceneClient.start({ config, daemonLauncher: managerCommand(directory) });
  manager = new ServiceManager(scene.daemon.process);
});
afterEach(async () => {
  await client?.stop();
});
afterAll(async () => {
  await scene?.stop();
  rmSync(directory, { recursive: true });
});

/** Has the client send so many packets, and waits until it says that they came back. */
async function exchange(count: number): Promise<void> {
  client.write(`${count}\n`);
  await client.said(new RegExp(`^${count} packets of 496 bytes came back$`, 'm'));
}

/** Resolves when the channels of the remote's next life are there. */
async function resetRemote(): Promise<void> {
  const watcher = await scene.client();
  const generation = async () =>
    Number(await watcher.get('/org/rpmsg/cm40', 'Remote', 'Generation'));
  const before = await generation();
  await scene.board('cm40', 'reset', 'cm40');
  // By then the channels of the former life are gone.
  await until('the next generation', async () => (await generation()) > before);
  await scene.daemon.scene.waitForChannels();
}

test('a client gets back what it sends, whatever happens in between', async () => {
  const program = compileHelper('stream-glib', [], ['gio-unix-2.0']);
  client = new Interactive(program, [scene.address, echo]);
  await exchange(1000);
  await manager.kill(lives++);
  await exchange(1001);
  await manager.ready(lives);
  await resetRemote();
  await exchange(1002);
  expect(await client.end()).toEqual({ status: 0, signal: null });
  expect(client.stderr).toBe('');
});
