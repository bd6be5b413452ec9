// SPDX-License-Identifier: Apache-2.0
// Signals flow by credit: what subscribers get, what they must acknowledge, and what those who stop
// reading are told when they come back.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  channelPath,
  errorOf,
  type Message,
  type RpmsgClient,
  type RpmsgEndpoint,
  until,
} from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';

const source = channelPath('cm40', 0, 'source');
const echo = channelPath('cm40', 0, 'echo');
const INVALID_ARGS = /^org\.freedesktop\.DBus\.Error\.InvalidArgs: /;

function order(count: number, size: number): Buffer {
  const data = Buffer.alloc(8);
  data.writeUInt32LE(count, 0);
  data.writeUInt32LE(size, 4);
  return data;
}

describe.each(['dbus-daemon system', 'dbus-broker'] as const)('%s', (bus) => {
  let scene: SceneClient;
  let client: RpmsgClient;
  let endpoint: RpmsgEndpoint;
  let got: Message[];

  beforeAll(async () => {
    scene = await SceneClient.start({ bus });
  });
  beforeEach(async () => {
    got = [];
    client = await scene.client();
    endpoint = await client.open(source);
  });
  afterEach(() => scene.endClients());
  afterAll(() => scene?.stop());

  function subscribe(ack: string, window: number): Promise<number> {
    return endpoint.subscribe((message) => got.push(message), {
      ack: ['s', ack],
      window: ['u', window],
    });
  }

  async function untilReceived(count: bigint, path = endpoint.path): Promise<void> {
    const stats = () => client.endpoint(path).stats();
    await until(`${count} messages`, async () => (await stats())['rx_messages'] === count);
  }

  test('with ack auto everything comes, whatever the window', async () => {
    expect(await subscribe('auto', 4)).toBe(4);
    await endpoint.send(order(200, 20));
    await until('200 messages', () => got.length === 200);
    expect(got.map(({ data }) => data.readUInt32LE(0))).toEqual(got.map((_, index) => index));
    expect(got.map(({ seq }) => seq)).toEqual(got.map((_, index) => BigInt(index)));
    expect(await endpoint.stats()).toMatchObject({ rx_drops: 0n, rx_overruns: 0n });
  });

  test('with ack manual never more than the window comes beyond what is acknowledged', async () => {
    expect(await subscribe('manual', 4)).toBe(4);
    await endpoint.send(order(20, 20));
    await untilReceived(20n);
    for (const [acknowledged, expected] of [
      [undefined, 4],
      [1n, 6],
      [5n, 10],
      [9n, 14],
    ] as const) {
      if (acknowledged !== undefined) await endpoint.ack(acknowledged);
      await until(`${expected} messages`, () => got.length >= expected);
      await endpoint.get('Connected');
      expect(got.length).toBe(expected);
    }
    expect(await errorOf(endpoint.ack(14n))).toMatch(INVALID_ARGS);
  });

  test('a subscriber that stops reading is told what it missed when it resumes', async () => {
    const total = 3_000;
    const sleeper = scene.sdBusClient(source, 'window=64', `order=${total},496`, 'stop');
    await sleeper.said(/^endpoint \S+$/m);
    const path = /^endpoint (\S+)$/m.exec(sleeper.output)?.[1] ?? '';
    const stats = () => client.endpoint(path).stats();
    await untilReceived(BigInt(total), path);
    // Another subscriber is served meanwhile.
    const other = await client.open(echo);
    await other.send(Buffer.from('meanwhile'));
    expect((await other.receiveData()).toString()).toBe('meanwhile');
    sleeper.kill('SIGCONT');
    await sleeper.said(new RegExp(`^message ${total - 1} 496$`, 'm'));
    const { received, overrun, gaps } = account(sleeper.output);
    expect(overrun).toBeGreaterThan(0);
    expect(gaps).toBe(overrun);
    expect(received + overrun).toBe(total);
    expect((await stats())['rx_drops']).toBe(BigInt(overrun));
  });

  test('with ack manual one that never acknowledges gets its window and not one more', async () => {
    const sleeper = scene.sdBusClient(source, 'ack=manual', 'window=8', 'order=100,4');
    await sleeper.said(/^message 7 4$/m);
    const path = /^endpoint (\S+)$/m.exec(sleeper.output)?.[1] ?? '';
    await untilReceived(100n, path);
    expect(account(sleeper.output)).toEqual({ received: 8, overrun: 0, gaps: 0 });
  });

  test('every subscriber of a shared endpoint gets every message', async () => {
    const shared = client.endpoint(echo);
    const other: Message[] = [];
    await shared.subscribe((message) => got.push(message));
    await (await scene.client()).endpoint(echo).subscribe((message) => other.push(message));
    await shared.send(Buffer.from('to all'));
    await until('both', () => got.length === 1 && other.length === 1);
    expect(other).toEqual(got);
  });

  test('subscribing and receiving exclude each other, and bad windows are refused', async () => {
    const waiting = errorOf(endpoint.receive());
    await subscribe('auto', 4);
    expect(await waiting).toMatch(/^org\.rpmsg\.Error\.Busy: /);
    expect(await errorOf(endpoint.receive())).toMatch(/^org\.rpmsg\.Error\.Busy: /);
    expect(await errorOf(subscribe('auto', 4))).toMatch(/^org\.rpmsg\.Error\.Busy: /);
    await endpoint.call('Unsubscribe');
    expect(await errorOf(endpoint.call('Unsubscribe'))).toMatch(INVALID_ARGS);
    expect(await errorOf(endpoint.ack(0n))).toMatch(INVALID_ARGS);
    for (const window of [0, 1025]) {
      expect(await errorOf(subscribe('auto', window))).toMatch(new RegExp(`\\b${window}\\b`));
    }
    expect(await errorOf(subscribe('perhaps', 4))).toMatch(/InvalidArgs: .*perhaps/);
  });
});

/** What an sd-bus client printed: messages, how many it was told were lost, how many numbers it lacks. */
function account(output: string): { received: number; overrun: number; gaps: number } {
  const sequence = [...output.matchAll(/^message (\d+) /gm)].map(([, seq]) => Number(seq));
  const overruns = [...output.matchAll(/^overrun (\d+)$/gm)].map(([, lost]) => Number(lost));
  const gaps = sequence.map((seq, index) => seq - (sequence[index - 1] ?? -1) - 1);
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
  return { received: sequence.length, overrun: sum(overruns), gaps: sum(gaps) };
}
