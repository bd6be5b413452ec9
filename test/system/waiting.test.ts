// SPDX-License-Identifier: Apache-2.0
// Sends when no transmit buffer is free: who waits, for how long, in which order, and what becomes
// of those whose callers are gone.

import { afterEach, describe, expect, test } from 'vitest';
import { firmwareCommand } from '../../packaging/dev/scene.mjs';
import type { BusKind } from '../support/bus-process.ts';
import {
  channelPath,
  devicePath,
  errorOf,
  type RpmsgClient,
  type RpmsgEndpoint,
  until,
} from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';

interface Row {
  readonly bus: BusKind;
  readonly firmware: string;
}

const rows: readonly Row[] = [
  { bus: 'dbus-daemon system', firmware: '--consumed-notify off' },
  { bus: 'dbus-broker', firmware: '--consumed-notify on' },
];
const device = devicePath('cm40', 0);
const echo = channelPath('cm40', 0, 'echo');
const sink = channelPath('cm40', 0, 'sink');

describe.each(rows)('$bus, firmware $firmware', ({ bus, firmware }) => {
  let scene: SceneClient;
  let client: RpmsgClient;
  /** The shared endpoint of the echo: answers come back in the order in which the ring had them. */
  let shared: RpmsgEndpoint;

  async function start(sendTimeoutMs = 20_000) {
    scene = await SceneClient.start({
      bus,
      config: {
        limits: { send_timeout_ms: sendTimeoutMs },
        remote: [{ name: 'cm40', platform: 'sim', soc: 'imx8qxp', vdevs: 1 }],
      },
      firmware: ({ vdevs }) => firmwareCommand(vdevs, `--hold ${firmware}`),
    });
    client = await scene.client();
    shared = client.endpoint(echo);
    // One endpoint may have half of the ring.
    for (let half = 0; half < 2; half++) {
      const filler = await client.open(sink);
      await Promise.all(Array.from({ length: 128 }, () => filler.send(Buffer.from('full'))));
    }
  }
  afterEach(() => scene.stop());

  async function untilWaiting(count: number) {
    await until(`${count} sends that wait`, async () => {
      return (await client.deviceStats(device))['tx_waits'] === BigInt(count);
    });
  }

  async function answers(count: number): Promise<string[]> {
    const texts: string[] = [];
    while (texts.length < count) texts.push((await shared.receiveData()).toString());
    return texts;
  }

  function labels(prefix: string, count: number): string[] {
    return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
  }

  function sendAll(from: RpmsgClient, texts: readonly string[]): Promise<unknown> {
    const endpoint = from.endpoint(echo);
    return Promise.all(texts.map((text) => endpoint.send(Buffer.from(text))));
  }

  test('TrySend is WouldBlock, Send waits, and succeeds as the remote consumes', async () => {
    await start();
    expect(await errorOf(shared.trySend(Buffer.from('a')))).toMatch(
      /^org\.rpmsg\.Error\.WouldBlock: no transmit buffer is free/,
    );
    let isSent = false;
    const sent = shared.send(Buffer.from('b')).then(() => {
      isSent = true;
    });
    await untilWaiting(1);
    expect(isSent).toBe(false);
    expect(await errorOf(shared.trySend(Buffer.from('c')))).toMatch(/WouldBlock/);
    await scene.signalFirmware('SIGUSR1');
    await sent;
    expect(await answers(1)).toEqual(['b']);
    await shared.trySend(Buffer.from('d'));
    expect(await answers(1)).toEqual(['d']);
  });

  test('each caller keeps its order and callers take turns; the 17th send is refused', async () => {
    await start();
    const [second, third] = await Promise.all([scene.client(), scene.client()]);
    const sent = [sendAll(client, labels('a', 16))];
    await untilWaiting(16);
    expect(await errorOf(shared.send(Buffer.from('a17')))).toMatch(
      /^org\.rpmsg\.Error\.QuotaExceeded: .*sends_per_sender/,
    );
    sent.push(sendAll(second, labels('b', 4)));
    await untilWaiting(20);
    sent.push(sendAll(third, labels('c', 2)));
    await untilWaiting(22);
    await scene.signalFirmware('SIGUSR1');
    await Promise.all(sent);
    const said = await answers(22);
    for (const [prefix, count] of [
      ['a', 16],
      ['b', 4],
      ['c', 2],
    ] as const) {
      expect(said.filter((text) => text.startsWith(prefix))).toEqual(labels(prefix, count));
    }
    // Whoever came first has one turn more at most before everyone had theirs.
    expect(said.indexOf('c1')).toBeLessThan(8);
    expect(said.indexOf('b3')).toBeLessThan(12);
  });

  test('a caller that is killed while it waits leaves no hole', async () => {
    await start();
    const names = () => client.bus.callBus('ListNames');
    const before = await names();
    const killed = scene.sdBusClient(echo, 'say=never sent');
    await untilWaiting(1);
    const sent = sendAll(client, labels('a', 3));
    await untilWaiting(4);
    await killed.stop('SIGKILL');
    await until('its end', async () => JSON.stringify(await names()) === JSON.stringify(before));
    const alsoSent = shared.send(Buffer.from('last'));
    await untilWaiting(5);
    await scene.signalFirmware('SIGUSR1');
    await Promise.all([sent, alsoSent]);
    expect(await answers(4)).toEqual(['a0', 'a1', 'a2', 'last']);
    expect(await client.deviceStats(device)).toMatchObject({ tx_messages: 260n });
  });

  test('a send that waits in vain is TimedOut and never sent', async () => {
    await start(50);
    expect(await errorOf(shared.send(Buffer.from('late')))).toMatch(
      /^org\.rpmsg\.Error\.TimedOut: no transmit buffer came free within 50 ms/,
    );
    expect(await client.deviceStats(device)).toMatchObject({ tx_waits: 1n, tx_timeouts: 1n });
    await scene.signalFirmware('SIGUSR1');
    await until('a free buffer', () =>
      shared.trySend(Buffer.from('next')).then(
        () => true,
        () => false,
      ),
    );
    expect(await answers(1)).toEqual(['next']);
  });

  test('the next life of the remote ends what waits with RemoteReset', async () => {
    await start();
    const waiting = Promise.all(
      labels('a', 3).map((text) => errorOf(shared.send(Buffer.from(text)))),
    );
    await untilWaiting(3);
    await scene.signalFirmware('SIGKILL');
    for (const error of await waiting) {
      expect(error).toMatch(/^org\.rpmsg\.Error\.RemoteReset: cm40 was reset before/);
    }
    // The rings are empty again, and the new firmware holds as well.
    await until('the channel', () => shared.get('Connected') as Promise<boolean>);
    await shared.trySend(Buffer.from('next life'));
    await scene.signalFirmware('SIGUSR1');
    expect(await answers(1)).toEqual(['next life']);
  });

  test('a stop of the daemon ends what waits with ShuttingDown', async () => {
    await start();
    const waiting = errorOf(shared.send(Buffer.from('x')));
    await untilWaiting(1);
    const receiving = errorOf(shared.receive(1, 20_000));
    await shared.get('Connected');
    scene.daemon.process.kill('SIGTERM');
    expect(await receiving).toMatch(/^org\.rpmsg\.Error\.ShuttingDown: the daemon is stopping/);
    expect(await waiting).toMatch(/^org\.rpmsg\.Error\.ShuttingDown: the daemon is stopping/);
    // A second signal would be one too many.
    expect(await scene.daemon.process.exited).toEqual({ code: 0, signal: null });
  });
});
