// SPDX-License-Identifier: Apache-2.0
// What clients see when the coprocessor crashes and comes back: the order in which it is told, what
// becomes of sends, messages, channels and endpoints. On a board whose system controller announces
// resets, and on one where the remote's doorbell is all there is.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { firmwareAddress, firmwareCommand, isOpenamp } from '../../packaging/dev/scene.mjs';
import { lives } from '../support/lives.ts';
import {
  channelPath,
  devicePath,
  errorOf,
  NO_ADDRESS,
  type RpmsgClient,
  type RpmsgEndpoint,
  until,
} from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';
import { Story } from '../support/story.ts';

const boards = [
  { soc: 'imx8qxp', core: 'cm40', bus: 'dbus-daemon system', cause: 'rebooted', partition: 2 },
  { soc: 'imx8mp', core: 'm7', bus: 'dbus-broker', cause: 'rxdb', partition: -1 },
] as const;
const pingPong = 'rpmsg-openamp-demo-channel';

let directory: string;
let scene: SceneClient;
let client: RpmsgClient;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rpmsg-reset-'));
});
afterEach(async () => {
  await scene?.stop();
  rmSync(directory, { recursive: true, force: true });
});

function word(value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeUInt32LE(value);
  return data;
}

describe.each(boards)('on $soc', ({ soc, core, bus, cause, partition }) => {
  const remote = `/org/rpmsg/${core}`;
  const device = devicePath(core, 0);

  /** `options`: of each life of the firmware; the last one's are those of all that follow. */
  async function start(...options: string[]): Promise<void> {
    const commands = options.map((option) => firmwareCommand(1, option));
    scene = await SceneClient.start({
      bus,
      config: {
        limits: { send_timeout_ms: 20_000 },
        remote: [{ name: core, platform: 'sim', soc, vdevs: 1 }],
      },
      firmware: () => lives(directory, 'firmware', commands),
      resourceTable: commands.some((command) => command.includes('openamp')),
      channels: false,
    });
    client = await scene.client();
  }

  async function published(name: string): Promise<string> {
    const path = channelPath(core, 0, name);
    await until(path, async () => (await client.objects()).includes(path));
    return path;
  }

  async function opened(name: string): Promise<RpmsgEndpoint> {
    return await client.open(await published(name));
  }

  async function crash(): Promise<void> {
    process.kill(await scene.firmwarePid(core), 'SIGKILL');
  }

  async function nextLife(): Promise<void> {
    await until(
      'the next life',
      async () => (await client.get(remote, 'Remote', 'Generation')) === 2,
    );
  }

  async function connected(endpoint: RpmsgEndpoint): Promise<void> {
    await until('Connected', async () => (await endpoint.get('Connected')) === true);
  }

  /** Counts with the remote, from its answer to the greeting until it says `last`. */
  async function count(endpoint: RpmsgEndpoint, last: number): Promise<number[]> {
    const answers: number[] = [];
    await endpoint.send(Buffer.from('hello world!'));
    for (;;) {
      const value = (await endpoint.receiveData()).readUInt32LE();
      answers.push(value);
      if (value >= last) return answers;
      await endpoint.send(word(value + 1));
    }
  }

  test('what happens to established channels if the coprocessor crashes during ping-pong', async () => {
    await start('');
    const endpoint = await opened(pingPong);
    const story = await Story.of(client, core);
    expect((await count(endpoint, 20)).at(-1)).toBe(20);
    await crash();
    // In the middle of it: the ball is lost, or the next throw fails by name; nothing hangs.
    const thrown = endpoint.send(word(21)).then(
      () => '',
      (error: Error) => error.name,
    );
    expect(await thrown).toMatch(/^(|org\.rpmsg\.Error\.(RemoteReset|RemoteDown|NotConnected))$/);
    await nextLife();
    await connected(endpoint);
    // The same object, nothing opened again, and the game starts over.
    await endpoint.receive(64, 0);
    const evenNumbers = Array.from({ length: 52 }, (_, index) => 2 * index);
    expect(await count(endpoint, 101)).toEqual(evenNumbers);
    expect(story.all('vdev0', '!ChannelWithdrawn').length).toBeGreaterThan(0);
    expect((await client.objects()).filter((path) => path.includes('/endpoint_'))).toEqual([
      endpoint.path,
    ]);
    expect(await client.get(remote, 'Remote', 'State')).toBe('attached');
    expect(await client.get(remote, 'Remote', 'ResetCount')).toBe(1);
  });

  test('it is told in the order that the XML promises', async () => {
    await start(`--app ${pingPong}`);
    const endpoint = await opened(pingPong);
    const fixed = await client.create(device, NO_ADDRESS, 30);
    await connected(fixed);
    await until('up', async () => (await client.get(device, 'Device', 'State')) === 'up');
    const story = await Story.of(client, core);
    await crash();
    await story.until('vdev0', '!ChannelAnnounced');
    await story.until('vdev0', 'State', 'up');
    const [channel, own, other] = [channelPath(core, 0, pingPong), endpoint.path, fixed.path].map(
      (path) => path.slice(remote.length + 1),
    ) as [string, string, string];
    const order = (...steps: (readonly [object: string, what: string, value?: unknown])[]) => {
      const places = steps.map((step) => story.at(...step));
      expect(places, story.lines.join('\n')).toEqual([...places].sort((a, b) => a - b));
    };
    order(
      ['', '!ResetNotified'],
      ['vdev0', 'State', 'down'],
      [channel, 'RemoteAddress', NO_ADDRESS],
      [own, 'RemoteAddress', NO_ADDRESS],
      ['vdev0', '!ChannelWithdrawn'],
      ['', 'Generation', 2],
      ['', 'State', 'waiting'],
      ['vdev0', 'State', 'offered'],
      [other, 'Connected', true],
      ['', '!Ready'],
      ['', 'State', 'attached'],
    );
    order(
      ['vdev0', 'State', 'offered'],
      [channel, 'RemoteAddress', firmwareAddress(pingPong)],
      [channel, 'Connected', true],
      [own, 'RemoteAddress', firmwareAddress(pingPong)],
      [own, 'Connected', true],
      ['vdev0', '!ChannelAnnounced'],
    );
    if (cause === 'rebooted') {
      order(
        ['', 'State', 'quiescing'],
        ['', '!ResetNotified'],
        [own, 'Connected', false],
        ['vdev0', 'State', 'down'],
      );
    }
    expect(story.all('', '!ResetNotified').length).toBe(1);
    for (const path of [channel, own, other]) {
      order(['', '!ResetNotified'], [path, 'Connected', false], ['', 'Generation', 2]);
      expect(story.all(path, 'Connected').map(({ value }) => value)).toEqual([false, true]);
    }
    // Where only the remote tells, its new resource table says so before its doorbell does.
    const causes = isOpenamp && cause === 'rxdb' ? [cause, 'status'] : [cause];
    const resets = story.all('', 'LastReset').map(({ value }) => (value as unknown[])[1]);
    expect(resets).toHaveLength(1);
    expect(causes).toContain(resets[0]);
    const together = story.all('', 'Generation')[0]?.message;
    const names = story.told.filter(({ message }) => message === together).map(({ what }) => what);
    expect(names.sort()).toEqual(['Generation', 'LastReset', 'ResetCount', 'State']);
    expect(
      story
        .all('', 'State')
        .map(({ value }) => value)
        .slice(-3),
    ).toEqual(['down', 'waiting', 'attached']);
  });

  test('sends that wait fail with RemoteReset', async () => {
    await start('--hold', '');
    const endpoint = await opened('sink');
    await Promise.all(Array.from({ length: 128 }, () => endpoint.send(Buffer.from('full'))));
    const waiting = Array.from({ length: 8 }, () => errorOf(endpoint.send(Buffer.from('waits'))));
    await until('they wait', async () => (await client.deviceStats(device))['tx_waits'] === 8n);
    await crash();
    for (const error of await Promise.all(waiting)) {
      expect(error).toMatch(/^org\.rpmsg\.Error\.RemoteReset: /);
    }
    await connected(endpoint);
    await endpoint.send(Buffer.from('in the next life'));
  });

  test('what the former life sent is delivered in the next one, in order, with its generation', async () => {
    await start('');
    const endpoint = await opened('echo');
    for (let index = 0; index < 10; index++) await endpoint.send(word(index));
    await until('ten answers', async () => (await endpoint.stats())['rx_messages'] === 10n);
    await crash();
    await nextLife();
    await connected(endpoint);
    await endpoint.send(word(10));
    await until('the eleventh', async () => (await endpoint.stats())['rx_messages'] === 11n);
    const { messages, dropped } = await endpoint.receive(64, 0);
    expect(dropped).toBe(0n);
    expect(messages.map(({ seq }) => Number(seq))).toEqual([...Array(11).keys()]);
    expect(messages.map(({ data }) => data.readUInt32LE())).toEqual([...Array(11).keys()]);
    expect(messages.map(({ generation }) => generation)).toEqual([...Array(10).fill(1), 2]);
  });

  test('endpoints bound by name get the new address, those with a fixed peer keep theirs', async () => {
    // Another kind of firmware than the one before has other addresses.
    await start('', `--behaviour ${isOpenamp ? 'rpmsg-lite' : 'openamp'}`);
    const own = await opened('echo');
    const shared = client.endpoint(await published('echo'));
    const fixed = await client.create(device, NO_ADDRESS, 30);
    const local = await own.get('LocalAddress');
    expect(await own.get('RemoteAddress')).toBe(firmwareAddress('echo'));
    await crash();
    await nextLife();
    for (const endpoint of [own, shared]) {
      await connected(endpoint);
      expect(await endpoint.get('RemoteAddress')).toBe(firmwareAddress('echo', !isOpenamp));
    }
    await connected(fixed);
    expect(await fixed.get('RemoteAddress')).toBe(30);
    expect(await own.get('LocalAddress')).toBe(local);
    for (const endpoint of [own, shared, fixed]) {
      await endpoint.send(Buffer.from('to the new address'));
      expect((await endpoint.receiveData()).toString()).toBe('to the new address');
    }
  });

  test('subscriptions go on, on the same object', async () => {
    await start('');
    const endpoint = await opened('echo');
    const heard: [string, number][] = [];
    await endpoint.subscribe(({ data, generation }) => heard.push([data.toString(), generation]));
    await endpoint.send(Buffer.from('before'));
    await until('the first', () => heard.length === 1);
    await crash();
    await nextLife();
    await connected(endpoint);
    await endpoint.send(Buffer.from('after'));
    await until('the second', () => heard.length === 2);
    expect(heard).toEqual([
      ['before', 1],
      ['after', 2],
    ]);
  });

  test('a live channel that is announced again is shown as a silent restart, with advice', async () => {
    await start('--fault ns-duplicate');
    await published('echo');
    const error = await until('the error', async () => {
      return String(await client.get(remote, 'Remote', 'LastError')) || undefined;
    });
    expect(error).toMatch(/^vdev 0: silent-restart: .*"echo".*Reinitialize/);
    expect(await client.get(remote, 'Remote', 'Generation')).toBe(1);
  });

  test('the partition is known where there are partitions', async () => {
    await start('');
    await until('the partition', async () => {
      return (await client.get(remote, 'Remote', 'Partition')) === partition;
    });
  });

  test('a restart that nobody tells of is ended by Reinitialize', async () => {
    // RPMsg-Lite's: an OpenAMP remote is found by its status byte (resource-table.test.ts).
    await start('--ready none --behaviour rpmsg-lite');
    const endpoint = await opened('echo');
    await endpoint.send(Buffer.from('before'));
    expect((await endpoint.receiveData()).toString()).toBe('before');
    await scene.board(core, 'silent-restart', core);
    await until('the restart is over', async () => {
      const { lives: count, state } = await scene.coreStatus(core);
      return count === 2 && state === 'running';
    });
    // Its link is down: nothing that comes for it brings it up on rings of its former life.
    for (let sent = 0; sent < 128; sent++) await endpoint.trySend(Buffer.from('lost'));
    expect(await errorOf(endpoint.trySend(Buffer.from('x')))).toMatch(/Error\.WouldBlock: /);
    await client.call(remote, 'Remote', 'Reinitialize');
    await connected(endpoint);
    await endpoint.send(Buffer.from('on fresh rings'));
    expect((await endpoint.receiveData()).toString()).toBe('on fresh rings');
    const [, told] = (await client.get(remote, 'Remote', 'LastReset')) as [bigint, string];
    expect([told, await client.get(remote, 'Remote', 'Generation')]).toEqual(['reinitialize', 2]);
  });

  test('Reinitialize is RemoteDown where the firmware does not follow', async () => {
    await start('');
    const endpoint = await opened('echo');
    await endpoint.send(Buffer.from('x'));
    await endpoint.receiveData();
    // Its link is up: as RPMsg-Lite does, it cannot notice that the rings are new.
    const pid = await scene.firmwarePid(core);
    process.kill(pid, 'SIGSTOP');
    const error = await errorOf(client.call(remote, 'Remote', 'Reinitialize'));
    expect(error).toMatch(/^org\.rpmsg\.Error\.RemoteDown: .*initialise its RPMsg stack again/);
    process.kill(pid, 'SIGKILL');
    await connected(endpoint);
  });
});
