// SPDX-License-Identifier: Apache-2.0
// Clients that flood, or never read their replies or signals: they slow themselves, another client's
// round trips go on, and neither the daemon's memory nor the bus's grows with what they do.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildMessage, RawBus } from '../support/raw-bus.ts';
import {
  channelPath,
  type RpmsgClient,
  type RpmsgEndpoint,
  SERVICE,
  until,
} from '../support/rpmsg-client.ts';
import { residentBytes, SceneClient } from '../support/scene-client.ts';

const MIB = 1024 * 1024;
const NO_REPLY_EXPECTED = 1;
const echo = channelPath('cm40', 0, 'echo');
const sink = channelPath('cm40', 1, 'sink');
const source = channelPath('cm40', 1, 'source');
const ENDPOINT = `${SERVICE}.Endpoint`;

/** The body of Send with a payload of so many bytes. */
function payload(size: number): Buffer {
  const body = Buffer.alloc(4 + size);
  body.writeUInt32LE(size);
  return body;
}

describe.each(['dbus-daemon system', 'dbus-broker'] as const)('%s', (bus) => {
  let scene: SceneClient;
  let client: RpmsgClient;
  let bystander: RpmsgEndpoint;
  let raw: RawBus;
  let trips: number;

  beforeAll(async () => {
    scene = await SceneClient.start({ bus });
  });
  beforeEach(async () => {
    trips = 0;
    client = await scene.client();
    bystander = await client.open(echo);
    raw = await RawBus.connect(scene.daemon.bus.socket);
  });
  afterEach(async () => {
    raw.close();
    await roundTrip();
    await scene.endClients();
  });
  afterAll(() => scene?.stop());

  async function roundTrip(): Promise<void> {
    const text = `trip ${trips++}`;
    await bystander.send(Buffer.from(text));
    expect((await bystander.receiveData()).toString()).toBe(text);
  }

  async function busPid(): Promise<number> {
    const [pid] = await client.bus.callBus('GetConnectionUnixProcessID', 's', [
      'org.freedesktop.DBus',
    ]);
    return Number(pid);
  }

  /** Runs `flood` for so many rounds; yields how much daemon and bus grew in the later half. */
  async function growth(rounds: number, flood: (round: number) => void | Promise<void>) {
    const pids = [scene.daemon.process.pid, await busPid()];
    const measure = () => pids.map(residentBytes);
    let early: number[] = [];
    for (let round = 0; round < rounds; round++) {
      if (round === rounds >> 1) early = measure();
      await flood(round);
      await roundTrip();
    }
    const [daemon = 0, broker = 0] = measure().map((bytes, index) => bytes - (early[index] ?? 0));
    return { daemon, broker };
  }

  /** The endpoint's counters once they have ceased to be behind `sent`. */
  async function settled(path: string, sent: bigint) {
    return await until(`${sent} sends accounted for`, async () => {
      const stats = await client.endpoint(path).stats();
      const { tx_messages: went = 0n, tx_unreported: failed = 0n } = stats;
      return went + failed === sent && stats;
    });
  }

  test('sends without replies, as fast as they can be written', async () => {
    const shared = { destination: SERVICE, path: sink, interface: ENDPOINT, member: 'Send' };
    const message = { ...shared, signature: 'ay', body: payload(496), flags: NO_REPLY_EXPECTED };
    const burst = Buffer.concat(
      Array.from({ length: 500 }, (_, index) => buildMessage({ ...message, serial: index + 10 })),
    );
    const rounds = 160;
    const before = await client.endpoint(sink).stats();
    const grown = await growth(rounds, () => raw.write(burst));
    // 600 bytes a send: 24 MB in the later half.
    expect(grown.daemon).toBeLessThan(12 * MIB);
    expect(grown.broker).toBeLessThan(12 * MIB);
    // What did not enter the ring is counted: nothing vanishes.
    const known = (before['tx_messages'] ?? 0n) + (before['tx_unreported'] ?? 0n);
    const stats = await settled(sink, known + BigInt(rounds * 500));
    expect(stats['tx_messages']).toBeGreaterThan(0n);
  });

  test('replies that nobody reads', async () => {
    raw.stopReading();
    const introspect = {
      destination: SERVICE,
      path: sink,
      interface: 'org.freedesktop.DBus.Introspectable',
      member: 'Introspect',
    };
    const burst = Buffer.concat(
      Array.from({ length: 100 }, (_, index) =>
        buildMessage({ ...introspect, serial: index + 10 }),
      ),
    );
    const before = residentBytes(await busPid());
    const grown = await growth(200, () => raw.write(burst));
    // Each reply has above 10 KB: 100 MB in the later half.
    expect(grown.daemon).toBeLessThan(16 * MIB);
    // Replies are the bus's to keep, up to its own limit for a connection: 127 MiB by default.
    expect(residentBytes(await busPid()) - before).toBeLessThan(150 * MIB);
  });

  test('signals that nobody reads, from bursts of the remote', async () => {
    const sleepers = ['ack=auto', 'ack=manual'].map((ack) =>
      scene.sdBusClient(source, ack, 'window=64', 'order=50000,496', 'stop'),
    );
    await Promise.all(sleepers.map((sleeper) => sleeper.said(/^endpoint \S+$/m)));
    const paths = sleepers.map(({ output }) => /^endpoint (\S+)$/m.exec(output)?.[1] ?? '');
    const taken = async () => {
      const stats = await Promise.all(paths.map((path) => client.endpoint(path).stats()));
      return stats.reduce((sum, one) => sum + Number(one['rx_messages']), 0);
    };
    const grown = await growth(20, async (round) => {
      await until('a share of the burst', async () => (await taken()) >= (round + 1) * 5_000);
    });
    // 50,000 messages of 496 bytes come in the later half: 25 MB.
    expect(grown.daemon).toBeLessThan(8 * MIB);
    expect(grown.broker).toBeLessThan(8 * MIB);
  });
});
