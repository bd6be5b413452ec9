// SPDX-License-Identifier: Apache-2.0
// Bytes from a D-Bus client to an M core and back, unchanged, over every kind of bus, MU and
// firmware at least once.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { firmwareCommand } from '../../packaging/dev/scene.mjs';
import type { BusKind } from '../support/bus-process.ts';
import { channelPath, errorOf, type Message, until } from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';

interface Row {
  readonly bus: BusKind;
  readonly soc: string;
  readonly name: string;
  readonly firmware: string;
}

const matrix: readonly Row[] = [
  { bus: 'dbus-daemon system', soc: 'imx8qxp', name: 'cm40', firmware: '' },
  { bus: 'dbus-broker', soc: 'imx7ulp', name: 'm4', firmware: '--behaviour openamp' },
  { bus: 'dbus-daemon session', soc: 'imx93', name: 'm33', firmware: '--consumed-notify on' },
  { bus: 'dbus-broker', soc: 'imx8mp', name: 'm7', firmware: '--ready flag' },
  {
    bus: 'dbus-daemon session',
    soc: 'imx8qm',
    name: 'cm41',
    firmware: '--behaviour openamp --ready none',
  },
  {
    bus: 'dbus-daemon system',
    soc: 'imx7ulp',
    name: 'm4',
    firmware: '--behaviour rpmsg-lite --resource-table',
  },
  {
    bus: 'dbus-daemon system',
    soc: 'imx8ulp',
    name: 'm33',
    firmware: '--behaviour openamp --consumed-notify off --ready none',
  },
];

/** A payload that shows any byte that was lost, doubled or moved. */
function payload(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, index) => (index * 7 + size) % 256));
}

describe.each(matrix)('$bus, $soc, firmware $firmware', ({ bus, soc, name, firmware }) => {
  let scene: SceneClient;
  const echo = channelPath(name, 0, 'echo');

  beforeAll(async () => {
    scene = await SceneClient.start({
      bus,
      config: { remote: [{ name, platform: 'sim', soc, vdevs: 2 }] },
      firmware: ({ vdevs }) => firmwareCommand(vdevs, firmware),
      ...(firmware.includes('openamp') ? { resourceTable: true } : {}),
    });
  });
  afterEach(() => scene.endClients());
  afterAll(() => scene?.stop());

  test('payloads of 0, 1, 495 and 496 bytes come back unchanged through Receive', async () => {
    const endpoint = await (await scene.client()).open(echo);
    for (const size of [0, 1, 495, 496]) {
      await endpoint.send(payload(size));
      expect(await endpoint.receiveData()).toEqual(payload(size));
    }
  });

  test('497 bytes are MessageTooLong, which names both sizes, and nothing is sent', async () => {
    const endpoint = await (await scene.client()).open(echo);
    for (const member of ['Send', 'TrySend']) {
      const error = await errorOf(endpoint.call(member, 'ay', [payload(497)]));
      expect(error).toMatch(/^org\.rpmsg\.Error\.MessageTooLong: .*\b497\b.*\b496\b/);
    }
    const batch = [payload(1), payload(497)];
    expect(await errorOf(endpoint.sendBatch(batch))).toMatch(/MessageTooLong: .*\b497\b.*\b496\b/);
    expect(await endpoint.stats()).toMatchObject({ tx_messages: 0n });
  });

  test('two subscribers on two endpoints get their own answers only, in order', async () => {
    const [first, second] = await Promise.all([scene.client(), scene.client()]);
    const got = new Map<string, Message[]>();
    for (const client of [first, second]) {
      const endpoint = await client.open(echo);
      const messages: Message[] = [];
      got.set(endpoint.path, messages);
      await endpoint.subscribe((message) => messages.push(message));
      const batch = [0, 1, 2, 3, 4].map((index) => Buffer.from(`${endpoint.path} ${index}`));
      expect(await endpoint.sendBatch(batch)).toBe(5);
    }
    for (const [path, messages] of got) {
      await until(`answers to ${path}`, () => messages.length >= 5);
      const texts = messages.map(({ data }) => data.toString());
      expect(texts).toEqual([0, 1, 2, 3, 4].map((index) => `${path} ${index}`));
      expect(messages.map(({ seq }) => seq)).toEqual([0n, 1n, 2n, 3n, 4n]);
    }
  });

  test('the agreed address 30 answers on the second vdev without an announcement', async () => {
    const client = await scene.client();
    const endpoint = await client.create(`/org/rpmsg/${name}/vdev1`, 0xffffffff, 30);
    await endpoint.send(payload(33));
    const { messages, dropped } = await endpoint.receive();
    expect(messages).toMatchObject([{ src: 30, generation: 1, data: payload(33) }]);
    expect(dropped).toBe(0n);
  });

  test('an sd-bus client in C makes a round trip', async () => {
    const child = scene.sdBusClient(echo, 'say=from C', 'once');
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(child.output).toMatch(/^message 0 6 from C$/m);
  });

  test('busctl makes a round trip on the shared endpoint', async () => {
    const shared = ['call', 'org.rpmsg', echo, 'org.rpmsg.Endpoint'];
    const sent = await scene.daemon.busctl(...shared, 'Send', 'ay', '2', '254', '255');
    expect(sent).toMatchObject({ status: 0, stderr: '' });
    const { stdout } = await scene.daemon.busctl(...shared, 'Receive', 'uu', '1', '10000');
    expect(stdout).toMatch(/^a\(tuutay\)t 1 0 \d+ 1 \d+ 2 254 255 0\n$/);
  });
});
