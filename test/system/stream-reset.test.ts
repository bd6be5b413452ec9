// SPDX-License-Identifier: Apache-2.0
// Streams over resets of the remote and deaths of the daemon: what becomes of packets that are on their
// way, which peer they go to afterwards, and that the holder stays who it is.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { firmwareCommand } from '../../packaging/dev/scene.mjs';
import { ClientStream } from '../support/client-stream.ts';
import { lives } from '../support/lives.ts';
import {
  channelPath,
  type Options,
  type RpmsgClient,
  type RpmsgEndpoint,
  until,
} from '../support/rpmsg-client.ts';
import type { SceneClient } from '../support/scene-client.ts';
import { managerCommand, ServiceManager } from '../support/service-manager.ts';
import { startStreamScene, streamRows } from '../support/stream-scene.ts';

/** What one endpoint may have in the ring: half of it. */
const credit = 128;

describe.each(streamRows)('on $bus, $soc', (row) => {
  const echo = channelPath(row.core, 0, 'echo');
  const remote = `/org/rpmsg/${row.core}`;
  let directory: string;
  let scene: SceneClient;
  let client: RpmsgClient;
  let stream: ClientStream | undefined;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'rpmsg-stream-'));
  });
  afterEach(async () => {
    stream?.close();
    await scene?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function start(setup: Parameters<typeof startStreamScene>[2] = {}): Promise<void> {
    scene = await startStreamScene(row, {}, setup);
    client = await scene.streamClient();
  }

  async function acquire(of: RpmsgEndpoint, options?: Options): Promise<ClientStream> {
    stream = await ClientStream.acquire(of, options);
    return stream;
  }

  /** A reset of the partition where there is a system controller. */
  async function reset(endpoint: RpmsgEndpoint): Promise<void> {
    const generation = async () => Number(await client.get(remote, 'Remote', 'Generation'));
    const before = await generation();
    await scene.board(row.core, 'reset', row.core);
    await until('the next generation', async () => (await generation()) > before);
    await until('connected', async () => (await endpoint.get('Connected')) === true);
  }

  const texts = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => `${from + index}`);

  /** Packets in the ring, as many as may be, and 70 more in the socket. */
  async function fillRing(options: Options): Promise<ClientStream> {
    await start({ firmwareOptions: '--hold' });
    const full = await acquire(await client.open(echo), options);
    for (const text of texts(0, credit + 70)) full.send(text);
    await until('the ring is full', async () => {
      return (await full.endpoint.stats())['tx_messages'] === BigInt(credit);
    });
    return full;
  }

  test('what a reset finds in the socket is dropped and counted', async () => {
    const dropping = await fillRing({});
    await reset(dropping.endpoint);
    await until('the rest', async () => (await dropping.endpoint.stats())['tx_discarded'] === 70n);
    dropping.send('of the next life');
    await scene.signalFirmware('SIGUSR1', row.core);
    expect(await dropping.texts(1)).toEqual(['of the next life']);
  });

  test('what was to be kept is the next life’s, in order, in full', async () => {
    const keeping = await fillRing({ on_reset: ['s', 'keep'] });
    await reset(keeping.endpoint);
    await scene.signalFirmware('SIGUSR1', row.core);
    expect(await keeping.texts(70)).toEqual(texts(credit, credit + 70));
    expect((await keeping.endpoint.stats())['tx_discarded']).toBe(0n);
    expect(keeping.refused).toEqual([]);
  });

  test('it goes to the channel of that name, whatever address that has by then', async () => {
    const [first, second] = ['rpmsg-lite', 'openamp'].map((behaviour) => {
      return firmwareCommand(1, `--behaviour ${behaviour}`);
    });
    const command = lives(directory, 'firmware', [`${first}`, `${second}`]);
    await start({ firmware: () => command, resourceTable: true });
    const endpoint = await client.open(echo);
    const bound = await acquire(endpoint);
    await bound.echo('in the first life');
    const before = await endpoint.get('RemoteAddress');
    await reset(endpoint);
    expect(await endpoint.get('RemoteAddress')).not.toBe(before);
    await bound.echo('in the second life');
    expect(await endpoint.get('Streaming')).toBe(true);
    expect((await endpoint.stats())['rx_foreign']).toBe(0n);
  });

  test('ten resets in a row, with traffic: what comes back is in order and unaltered', async () => {
    await start();
    const endpoint = await client.open(echo);
    const going = await acquire(endpoint);
    let sent = 0;
    for (let round = 0; round < 10; round++) {
      for (const before = going.packets.length; going.packets.length < before + 20; ) {
        going.send(`${sent++}`);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await reset(endpoint);
    }
    going.send(`${sent}`);
    await until('the last', () => String(going.packets.at(-1)) === `${sent}`);
    const numbers = going.packets.map((packet) => Number(String(packet)));
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(going.overruns).toEqual([]);
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'a service manager that keeps its socket lets it go on over %s',
    async (signal) => {
      await start({ daemonLauncher: managerCommand(directory) });
      const manager = new ServiceManager(scene.daemon.process);
      const endpoint = await client.open(echo);
      const kept = await acquire(endpoint, { mode: ['s', 'both'], hold: ['u', 32] });
      for (const text of texts(0, 20)) kept.send(text);
      for (let life = 1; life <= 3; life++) {
        await manager.kill(life, signal);
        kept.send(`between ${life}`);
        await manager.ready(life + 1);
      }
      const between = ['between 1', 'between 2', 'between 3'];
      expect(await kept.texts(23)).toEqual([...texts(0, 20), ...between]);
      expect(await endpoint.get('Streaming')).toBe(true);
      // The holder is still the one who is told, and the endpoint its owner's.
      kept.send('x'.repeat(kept.mtu + 1));
      await until('PacketRefused', () => kept.refused.length === 1);
      await endpoint.close();
      await kept.ended();
      expect(kept.packets).toHaveLength(23);
    },
  );

  test('a client that leaves while the daemon is away is missed by nobody', async () => {
    await start({ daemonLauncher: managerCommand(directory, { restartDelayMs: 300 }) });
    const manager = new ServiceManager(scene.daemon.process);
    const shared = client.endpoint(echo);
    const leaving = await acquire(shared);
    await manager.kill(1);
    leaving.send('its last words');
    leaving.close();
    await manager.ready(2);
    await until('its end', async () => (await shared.get('Streaming')) === false);
    await until('its last words', async () => (await shared.stats())['tx_messages'] === 1n);
    await manager.said(/^DROPPED 2 stream-\d+$/m);
    // The answer to them came when nobody had the stream: it waits at the endpoint for who has it next.
    const next = await acquire(shared);
    next.send('the next one');
    expect(await next.texts(2)).toEqual(['its last words', 'the next one']);
  });
});
