// SPDX-License-Identifier: Apache-2.0
// A daemon that goes on with living remotes serves them before it has been loaded: as the one before it
// had set them up, if nothing has changed since, and else in the usual order.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Child } from '../../packaging/dev/child.mjs';
import { startLoaderAlone } from '../support/loader-alone.ts';
import { channelPath, type RpmsgClient, until } from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';
import { managerCommand, ServiceManager } from '../support/service-manager.ts';

const echo = channelPath('cm40', 0, 'echo');
let scene: SceneClient;
let loader: Child | undefined;

beforeEach(async () => {
  scene = await SceneClient.start();
});
afterEach(async () => {
  await loader?.stop('SIGKILL');
  loader = undefined;
  await scene.stop();
});

const file = (name: string) => join(scene.daemon.scene.directory, name);

/** The arguments of the scene's daemon. */
function daemonArgs(): string[] {
  const { directory, address } = scene.daemon.scene;
  return ['--config', file('rpmsgd.toml'), '--runtime-dir', directory, '--bus', address];
}

/** Ends the daemon; once it is started again it answers with an echo. */
async function restart(whileDown: () => Promise<void>): Promise<RpmsgClient> {
  await until('the setup is kept', () => existsSync(file('setup.json')));
  await scene.daemon.restart('SIGKILL', whileDown);
  await scene.daemon.scene.waitForChannels();
  return await scene.client();
}

async function expectEcho(client: RpmsgClient): Promise<void> {
  const endpoint = await client.open(echo);
  await endpoint.send(Buffer.from('hello'));
  const { messages } = await endpoint.receive(1, 5_000);
  expect(messages.map(({ data }) => data.toString())).toEqual(['hello']);
}

interface BoardStatus {
  readonly scfw: { readonly calls: number };
  readonly cores: readonly { readonly host: number | null }[];
}

const board = async () => (await scene.board('cm40', 'status')) as unknown as BoardStatus;

/** Runs the loader alone until it has loaded. */
async function loadAlone(args = daemonArgs()): Promise<Child> {
  loader = startLoaderAlone(scene.daemon.scene.directory, args);
  await loader.said(/^LOADED$/m);
  return loader;
}

test('the loader alone serves remotes that live on', async () => {
  const client = await restart(async () => {
    const before = (await board()).scfw.calls;
    const { pid } = await loadAlone();
    expect((await board()).cores[0]?.host).toBe(pid);
    // Its link thread asks the system controller what has happened meanwhile.
    await until('a call', async () => (await board()).scfw.calls > before);
    await loader?.stop('SIGKILL');
  });
  await expectEcho(client);
});

test('whoever has the lock is left alone', async () => {
  await until('the setup is kept', () => existsSync(file('setup.json')));
  const { pid } = scene.daemon.process;
  await loadAlone();
  expect((await board()).cores[0]?.host).toBe(pid);
});

test('nothing is touched with other arguments, or once the configuration has changed', async () => {
  const client = await restart(async () => {
    await loadAlone([...daemonArgs(), '--print-config']);
    expect((await board()).cores[0]?.host).toBeNull();
    await loader?.stop('SIGKILL');
    const text = readFileSync(file('rpmsgd.toml'), 'utf8');
    writeFileSync(file('rpmsgd.toml'), text.replace(/^window_max = .*$/m, 'window_max = 77'));
    await loadAlone();
    expect((await board()).cores[0]?.host).toBeNull();
    await loader?.stop('SIGKILL');
  });
  const limits = await client.get('/org/rpmsg', 'Manager', 'Limits');
  expect(Object(limits)).toMatchObject({ window_max: 77 });
  await expectEcho(client);
});

test('after a first act that turns out to be wrong the next start is in the usual order', async () => {
  await until('the setup is kept', () => existsSync(file('setup.json')));
  const kept = JSON.parse(readFileSync(file('setup.json'), 'utf8'));
  kept.remotes[0].readyWaitMs += 1;
  writeFileSync(file('setup.json'), JSON.stringify(kept), { mode: 0o600 });
  scene.daemon.process.kill('SIGKILL');
  await scene.daemon.process.exited;
  const daemonLauncher = managerCommand(scene.daemon.scene.directory);
  await scene.daemon.scene.startDaemon({ daemonLauncher });
  const manager = new ServiceManager(scene.daemon.process);
  await manager.ready(2);
  expect(manager.output).toMatch(/^ENDED 1 1$/m);
  expect(manager.output).toContain('set up before, which has changed since; start again');
  await scene.daemon.scene.waitForChannels();
  await expectEcho(await scene.client());
});

test('what a first act finds no more is no error before the usual order says so', async () => {
  const client = await restart(async () => {
    rmSync(file('cm40.state'));
    await loadAlone();
    expect((await board()).cores[0]?.host).toBeNull();
    await loader?.stop('SIGKILL');
  });
  await expectEcho(client);
});
