// SPDX-License-Identifier: Apache-2.0
// The daemon ends, in order or at once, and another one goes on: with the same objects for the same
// clients, the same rings towards a remote that notices nothing, and every message accounted for.

import { rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { startBus } from '../support/bus-process.ts';
import { randomGenerator } from '../support/random.ts';
import {
  channelPath,
  devicePath,
  errorOf,
  type Message,
  RpmsgClient,
  type RpmsgEndpoint,
  until,
} from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';

const echo = channelPath('cm40', 0, 'echo');
const signals = ['SIGTERM', 'SIGKILL'] as const;
const remote = '/org/rpmsg/cm40';
const any = 0xffffffff;
/** The address of the firmware's echo. */
let echoAddress: number;
let scene: SceneClient;
let client: RpmsgClient;

afterEach(async () => {
  await scene?.stop();
});

async function start(): Promise<void> {
  scene = await SceneClient.start();
  client = await scene.client();
  echoAddress = Number(await client.get(echo, 'Channel', 'RemoteAddress'));
}

const text = ({ data }: Message) => data.toString();

/** Sends `count` numbered messages to the echo; its answers wait. */
async function sendMany(endpoint: RpmsgEndpoint, count: number, from = 0): Promise<void> {
  for (let n = from; n < from + count; n++) await endpoint.send(Buffer.from(`${n}`));
}

async function receiveMany(endpoint: RpmsgEndpoint, count: number): Promise<Message[]> {
  const all: Message[] = [];
  while (all.length < count) {
    const { messages } = await endpoint.receive(count, 5_000);
    if (messages.length === 0) throw new Error(`only ${all.length} of ${count} messages came`);
    all.push(...messages);
  }
  return all;
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `${from + index}`);

describe.each(signals)('after %s', (signal) => {
  test('every object is back under its path, for its owner, at its addresses', async () => {
    await start();
    const opened = await client.open(echo, { rx_queue: ['u', 7] });
    const created = await client.create(devicePath('cm40', 1), 40, 41);
    const properties = [
      'Name',
      'LocalAddress',
      'RemoteAddress',
      'Owner',
      'Persistent',
      'Connected',
    ];
    const describeAll = async () => {
      const told = [];
      for (const { path } of [opened, created, client.endpoint(echo)]) {
        for (const name of properties)
          told.push([path, name, await client.get(path, 'Endpoint', name)]);
      }
      return told;
    };
    const objects = (await client.objects()).sort();
    const before = await describeAll();
    await scene.daemon.restart(signal);
    expect((await client.objects()).sort()).toEqual(objects);
    await until('vdev 1 is up', async () => (await created.get('Connected')) === true);
    expect(await describeAll()).toEqual(before);
    await sendMany(opened, 1);
    expect((await receiveMany(opened, 1)).map(text)).toEqual(['0']);
    const stranger = await scene.client();
    expect(await errorOf(stranger.endpoint(opened.path).send(Buffer.from('x')))).toMatch(
      /NotOwner/,
    );
  });

  test('the remote has noticed nothing: same generation, no reset, no channel announced', async () => {
    await start();
    const generation = await client.get(remote, 'Remote', 'Generation');
    const heard: string[] = [];
    await client.bus.subscribe(
      { path: devicePath('cm40', 0), interface: 'org.rpmsg.Device' },
      (s) => heard.push(s.member),
    );
    await scene.daemon.restart(signal);
    await until(
      'attached',
      async () => (await client.get(remote, 'Remote', 'State')) === 'attached',
    );
    expect(await client.get(remote, 'Remote', 'Generation')).toBe(generation);
    expect(await client.get(remote, 'Remote', 'ResetCount')).toBe(0);
    expect(heard).toEqual([]);
    expect(scene.daemon.process.output).toMatch(/remote opened .*resume=resumed/);
  });

  test('messages nobody has had can be received, with the numbers they had', async () => {
    await start();
    const opened = await client.open(echo);
    await sendMany(opened, 20);
    await until('all answered', async () => (await opened.stats())['rx_messages'] === 20n);
    const first = await receiveMany(opened, 5);
    await scene.daemon.restart(signal);
    const rest = await receiveMany(opened, 15);
    expect([...first, ...rest].map(text)).toEqual(numbers(0, 20));
    expect([...first, ...rest].map(({ seq }) => Number(seq))).toEqual(numbers(0, 20).map(Number));
    await sendMany(opened, 1, 20);
    expect((await receiveMany(opened, 1))[0]?.seq).toBe(20n);
  });

  test('a subscription goes on without being asked for', async () => {
    await start();
    const opened = await client.open(echo);
    const heard: Message[] = [];
    await opened.subscribe((message) => heard.push(message));
    await sendMany(opened, 3);
    await until('three', () => heard.length === 3);
    await scene.daemon.restart(signal);
    await sendMany(opened, 3, 3);
    await until('the last', () => heard.some((message) => text(message) === '5'));
    // What was not acknowledged comes again after SIGKILL, under the same number.
    const again = signal === 'SIGKILL' ? heard.slice(0, 3) : [];
    expect(heard.map(text)).toEqual([...numbers(0, 3), ...again.map(text), ...numbers(3, 6)]);
    expect(heard.slice(3, 3 + again.length).map(({ seq }) => seq)).toEqual(
      again.map(({ seq }) => seq),
    );
  });

  test('only what is not acknowledged is sent again, and only after SIGKILL', async () => {
    await start();
    const opened = await client.open(echo);
    const heard: bigint[] = [];
    const options = { ack: ['s', 'manual'], window: ['u', 8] } as const;
    await opened.subscribe(({ seq }) => heard.push(seq), options);
    await sendMany(opened, 12);
    await until('a window', () => heard.length === 8);
    await opened.ack(4n);
    await until('the rest', () => heard.length === 12);
    await scene.daemon.restart(signal);
    if (signal === 'SIGKILL') await until('once more', () => heard.length === 19);
    await sendMany(opened, 1, 12);
    await until('the next', () => heard.at(-1) === 12n);
    const again = signal === 'SIGKILL' ? [5n, 6n, 7n, 8n, 9n, 10n, 11n] : [];
    expect(heard).toEqual([...numbers(0, 12).map(BigInt), ...again, 12n]);
    await opened.ack(12n);
  });

  test('an owner that left meanwhile has no endpoint any more, and its number is not used again', async () => {
    await start();
    const leaving = await RpmsgClient.connect(scene.address);
    const { path } = await leaving.create(devicePath('cm40', 0), 40, any);
    const mine = await client.create(devicePath('cm40', 0), 41, any);
    await scene.daemon.restart(signal, () => leaving.close());
    const objects = await client.objects();
    expect(objects).not.toContain(path);
    expect(objects).toContain(mine.path);
    const next = await client.create(devicePath('cm40', 0), 40, any);
    expect([path, mine.path]).not.toContain(next.path);
  });

  test('on another bus owned endpoints are gone and shared ones are not', async () => {
    await start();
    const owned = await client.create(devicePath('cm40', 0), 40, any);
    const shared = await client.create(devicePath('cm40', 0), 41, echoAddress, {
      persistent: ['b', true],
    });
    const other = await startBus('dbus-daemon system');
    try {
      scene.daemon.scene.address = other.address;
      await scene.daemon.restart(signal);
      const visitor = await RpmsgClient.connect(other.address);
      const objects = await visitor.objects();
      expect(objects).not.toContain(owned.path);
      const endpoint = visitor.endpoint(shared.path);
      await sendMany(endpoint, 1);
      expect((await receiveMany(endpoint, 1)).map(text)).toEqual(['0']);
      await visitor.close();
    } finally {
      await scene.endClients();
      await scene.daemon.process.stop();
      await other.stop();
    }
  });

  test('three times in a row, under traffic, nothing is lost', async () => {
    await start();
    const opened = await client.open(echo);
    const seen: number[] = [];
    let sent = 0;
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 40; n++) await opened.send(Buffer.from(`${sent++}`));
      seen.push(...(await receiveMany(opened, 10)).map((message) => Number(message.seq)));
      await scene.daemon.restart(signal);
    }
    seen.push(...(await receiveMany(opened, sent - 30)).map((message) => Number(message.seq)));
    expect(seen).toEqual(numbers(0, sent).map(Number));
  });
});

describe('when a file in the runtime directory is', () => {
  const inDirectory = (name: string) => join(scene.daemon.scene.directory, name);
  const state = () => inDirectory('cm40.state');
  const objects = () => inDirectory('objects.jsonl');

  const spoilt: [string, () => void][] = [
    ['gone', () => rmSync(state())],
    ['empty', () => truncateSync(state())],
    ['overwritten', () => writeFileSync(state(), Buffer.alloc(statSync(state()).size, 0x5a))],
  ];
  test.each(spoilt)(
    '%s, and it is the state: living rings are taken over as they are',
    async (_what, spoil) => {
      await start();
      const opened = await client.open(echo);
      await sendMany(opened, 3);
      await receiveMany(opened, 3);
      await scene.daemon.restart('SIGKILL', async () => spoil());
      expect(scene.daemon.process.output).toMatch(/remote opened .*resume=adopted/);
      await until('connected', async () => (await opened.get('Connected')) === true);
      for (let n = 0; n < 300; n++) await opened.send(Buffer.from(`${n}`));
      expect((await receiveMany(opened, 256)).length).toBeGreaterThan(0);
      expect(await client.get(remote, 'Remote', 'ResetCount')).toBe(0);
    },
  );

  test('damaged, and it holds the objects: the log names it, and a reset brings the channels back', async () => {
    await start();
    await scene.daemon.restart('SIGKILL', async () => writeFileSync(objects(), 'hello\n'));
    const { output } = scene.daemon.process;
    expect(output).toMatch(
      /warn {2}ignored: objects of an earlier daemon cannot be restored path=.*objects\.jsonl/,
    );
    expect(output).toMatch(/warn {2}the remote lives on, but the file with its channels/);
    expect(await client.objects()).not.toContain(echo);
    await scene.signalFirmware('SIGKILL');
    await until('echo', async () => (await client.objects()).includes(echo));
    const opened = await client.open(echo);
    await sendMany(opened, 1);
    expect((await receiveMany(opened, 1)).map(text)).toEqual(['0']);
  });
});

test('a remote that was reset while no daemon was there comes back by name', async () => {
  await start();
  const opened = await client.open(echo);
  const heard: Message[] = [];
  await opened.subscribe((message) => heard.push(message));
  await sendMany(opened, 1);
  await until('one', () => heard.length === 1);
  await scene.daemon.restart('SIGKILL', async () => {
    const pid = await scene.firmwarePid();
    await scene.signalFirmware('SIGKILL');
    await until('the next firmware', async () => (await scene.firmwarePid()) !== pid);
  });
  await until('connected', async () => (await opened.get('Connected')) === true);
  await until(
    'the next life',
    async () => (await client.get(remote, 'Remote', 'Generation')) === 2,
  );
  await until('sent', async () => {
    await opened.send(Buffer.from('again')).catch(() => undefined);
    return heard.some(({ generation }) => generation === 2);
  });
  expect(heard.slice(0, 2).map(({ seq, generation }) => [seq, generation])).toEqual([
    [0n, 1],
    [0n, 1],
  ]);
});

test('daemons that are killed while they start leave everything to the one that does', async () => {
  await start();
  const opened = await client.open(echo);
  await sendMany(opened, 20);
  await until('all answered', async () => (await opened.stats())['rx_messages'] === 20n);
  const objects = (await client.objects()).sort();
  const below = randomGenerator(10);
  const { daemon } = scene;
  for (let round = 0; round < 10; round++) {
    daemon.process.kill('SIGKILL');
    await daemon.process.exited;
    daemon.scene.startDaemon().catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, below(500)));
  }
  await daemon.restart('SIGKILL');
  expect((await client.objects()).sort()).toEqual(objects);
  expect((await receiveMany(opened, 20)).map(text)).toEqual(numbers(0, 20));
  expect(await client.get(remote, 'Remote', 'Generation')).toBe(1);
});

test('an Ack of what an earlier daemon sent is taken', async () => {
  await start();
  const opened = await client.open(echo);
  const heard: bigint[] = [];
  await opened.subscribe(({ seq }) => heard.push(seq), { ack: ['s', 'manual'] });
  await sendMany(opened, 3);
  await until('three', () => heard.length === 3);
  await scene.daemon.restart('SIGKILL');
  await opened.ack(2n);
  await sendMany(opened, 1, 3);
  await until('the next', () => heard.at(-1) === 3n);
});

test('a call that waits at SIGTERM ends with ShuttingDown, and its message is there afterwards', async () => {
  await start();
  const opened = await client.open(echo);
  const waiting = errorOf(opened.receive(1, 20_000));
  await until('it waits', async () => (await opened.stats())['rx_messages'] === 0n);
  const restarted = scene.daemon.restart('SIGTERM');
  expect(await waiting).toMatch(/ShuttingDown/);
  await restarted;
  await sendMany(opened, 1);
  expect((await receiveMany(opened, 1)).map(text)).toEqual(['0']);
});
