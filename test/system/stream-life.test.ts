// SPDX-License-Identifier: Apache-2.0
// How streams begin, go on and end: owners and clients that leave, endpoints of every kind, remotes that
// are not there yet, faulted or reset, a configuration that changes, a daemon that stops.

import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { firmwareCommand } from '../../packaging/dev/scene.mjs';
import { BusSocket } from '../../src/addon/bus-socket.ts';
import { ClientStream } from '../support/client-stream.ts';
import {
  channelPath,
  devicePath,
  errorOf,
  NO_ADDRESS,
  type Options,
  RpmsgClient,
  type RpmsgEndpoint,
  until,
} from '../support/rpmsg-client.ts';
import type { SceneClient } from '../support/scene-client.ts';
import { startStreamScene, streamRows } from '../support/stream-scene.ts';

/** An echo that is not announced. */
const agreed = 30;

describe.each(streamRows)('on $bus, $soc', (row) => {
  const echo = channelPath(row.core, 0, 'echo');
  const sink = channelPath(row.core, 0, 'sink');
  const device = devicePath(row.core, 0);
  const remote = `/org/rpmsg/${row.core}`;
  let scene: SceneClient;
  let client: RpmsgClient;
  let streams: ClientStream[] = [];

  afterEach(async () => {
    for (const stream of streams) stream.close();
    streams = [];
    await scene?.stop();
  });

  async function start(
    config: Record<string, unknown> = {},
    setup: Parameters<typeof startStreamScene>[2] = {},
  ): Promise<void> {
    scene = await startStreamScene(row, config, setup);
    client = await scene.streamClient();
  }

  async function acquire(of: RpmsgEndpoint, options?: Options, reads?: boolean) {
    const stream = await ClientStream.acquire(of, options, reads);
    streams.push(stream);
    return stream;
  }

  /** One that is not closed with the scene's others. */
  const leavingClient = () => {
    return RpmsgClient.connect(scene.address, { connectSocket: BusSocket.connect });
  };

  const isFree = async (of: RpmsgEndpoint) => (await of.get('Streaming')) === false;

  async function generationIs(wanted: number): Promise<void> {
    await until(`generation ${wanted}`, async () => {
      return (await client.get(remote, 'Remote', 'Generation')) === wanted;
    });
  }

  async function connected(endpoint: RpmsgEndpoint): Promise<void> {
    await until('connected', async () => (await endpoint.get('Connected')) === true);
  }

  test('a stream ends with the bus connection of the owner of its endpoint', async () => {
    await start();
    const owner = await leavingClient();
    const stream = await acquire(await owner.open(echo));
    await stream.echo('still there');
    await owner.close();
    await stream.ended();
  });

  test('on a shared endpoint it outlives its holder’s connection, and ends with the socket', async () => {
    await start();
    const holder = await leavingClient();
    const stream = await acquire(holder.endpoint(echo));
    await holder.close();
    await stream.echo('without a bus');
    stream.close();
    await until('its end', () => isFree(client.endpoint(echo)));
  });

  test('Close of the endpoint ends it, after what was sent has gone into the ring', async () => {
    await start();
    const endpoint = await client.open(sink);
    const stream = await acquire(endpoint);
    const counter = client.endpoint(sink);
    for (let n = 0; n < 20; n++) stream.send(`${n}`);
    await endpoint.close();
    await stream.ended();
    await counter.send(Buffer.from('stats?'));
    expect(Number((await counter.receiveData()).readBigUInt64LE())).toBe(20);
  });

  test('what a client sent before it closed arrives, even with packets that it did not read', async () => {
    await start();
    const endpoint = client.endpoint(echo);
    const stream = await acquire(endpoint, {}, false);
    for (let n = 0; n < 30; n++) stream.send(`${n}`);
    await until('an answer', async () => (await endpoint.stats())['rx_messages'] !== 0n);
    for (let n = 30; n < 60; n++) stream.send(`${n}`);
    stream.close();
    await until('its end', () => isFree(endpoint));
    await until('all 60', async () => (await endpoint.stats())['tx_messages'] === 60n);
    expect((await endpoint.stats())['tx_discarded']).toBe(0n);
  });

  test('endpoints of the configuration and persistent ones have streams as others do', async () => {
    await start({}, { remote: { endpoint: [{ vdev: 0, name: 'fixed', src: 40, dst: agreed }] } });
    const fixed = (await client.objects()).filter((path) => /endpoint_/.test(path));
    expect(fixed).toHaveLength(1);
    const creator = await leavingClient();
    const options = { persistent: ['b', true] } as const;
    const { path } = await creator.create(device, NO_ADDRESS, agreed, options);
    await creator.close();
    for (const each of [fixed[0] as string, path]) {
      const stream = await acquire(client.endpoint(each));
      await stream.echo(each);
    }
  });

  test('on a remote that is not there yet packets wait for it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'rpmsg-late-'));
    const [go, script] = [join(directory, 'go'), join(directory, 'firmware')];
    const wait = `while [ ! -e '${go}' ]; do sleep 0.02; done`;
    writeFileSync(script, `${wait}\nexec ${firmwareCommand(1, row.firmware)}\n`);
    await start({}, { channels: false, firmware: () => `sh ${script}` });
    const endpoint = await client.create(device, 40, agreed, {}, 'early');
    const stream = await acquire(endpoint, { on_reset: ['s', 'keep'] });
    stream.send('written before it came');
    writeFileSync(go, '');
    expect(await stream.texts(1)).toEqual(['written before it came']);
    rmSync(directory, { recursive: true });
  });

  test('a client that leaves while the vdev is faulted leaves the endpoint free', async () => {
    await start({}, { firmwareOptions: '--fault used-id-duplicate:3' });
    const endpoint = client.endpoint(echo);
    const stream = await acquire(endpoint);
    for (const text of ['one', 'two', 'three']) stream.send(text);
    await until(
      'the fault',
      async () => (await client.get(device, 'Device', 'State')) === 'faulted',
    );
    expect(stream.hasEnded).toBe(false);
    stream.send('never sent');
    stream.close();
    await until('its end', () => isFree(endpoint));
    expect((await endpoint.stats())['tx_discarded']).toBe(1n);
  });

  test('a stream goes on after a fault when the rings are made again', async () => {
    await start({}, { firmwareOptions: '--fault used-id-duplicate:3' });
    const stream = await acquire(client.endpoint(echo));
    for (const text of ['one', 'two', 'three']) stream.send(text);
    await until(
      'the fault',
      async () => (await client.get(device, 'Device', 'State')) === 'faulted',
    );
    await scene.board(row.core, 'kill', row.core);
    await generationIs(2);
    await connected(stream.endpoint);
    await stream.echo('again');
  });

  test('a channel that is narrowed by a Reload ends the streams of it, and no other', async () => {
    await start();
    const narrowed = await acquire(await client.open(echo));
    const other = await acquire(await client.open(sink));
    const file = join(scene.daemon.scene.directory, 'rpmsgd.toml');
    appendFileSync(file, '\n[[channel]]\nname = "echo"\ngroup = "root"\n');
    await client.call('/org/rpmsg', 'Manager', 'Reload');
    await narrowed.ended();
    await until('its end', () => isFree(narrowed.endpoint));
    other.send('stats?');
    await other.received(1);
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'without a service manager its client reads the end of file after %s',
    async (signal) => {
      await start();
      const endpoint = await client.open(echo);
      const stream = await acquire(endpoint);
      await stream.echo('before');
      await scene.daemon.restart(signal);
      await stream.ended();
      expect(await endpoint.get('Streaming')).toBe(false);
      await (await acquire(endpoint)).echo('a new one');
    },
  );

  test('whoever closed nothing but its writing half still reads', async () => {
    await start({}, { firmwareOptions: '--hold' });
    const stream = await acquire(await client.open(echo));
    for (let n = 0; n < 20; n++) stream.send(`${n}`);
    stream.socket.end();
    await scene.signalFirmware('SIGUSR1', row.core);
    expect(await stream.texts(20)).toEqual(Array.from({ length: 20 }, (_, n) => `${n}`));
    expect(await stream.endpoint.get('Streaming')).toBe(true);
  });

  test('a closed endpoint with nobody to read leaves sends of others as they were', async () => {
    await start({}, { firmwareOptions: '--hold' });
    const greedy = await client.open(echo);
    const other = await client.open(sink);
    const filler = await client.open(sink);
    // The ring full, a stream that waits for a buffer, and its end.
    await Promise.all(Array.from({ length: 128 }, () => filler.send(Buffer.from('full'))));
    const stream = await acquire(greedy);
    for (let n = 0; n < 200; n++) stream.send(`${n}`);
    await until('the ring', async () => (await greedy.stats())['tx_messages'] === 128n);
    expect(await errorOf(other.trySend(Buffer.from('x')))).toMatch(/WouldBlock/);
    await greedy.close();
    await scene.signalFirmware('SIGUSR1', row.core);
    await until('room', () =>
      other.trySend(Buffer.from('x')).then(
        () => true,
        () => false,
      ),
    );
  });
});
