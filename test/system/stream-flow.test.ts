// SPDX-License-Identifier: Apache-2.0
// Where messages go while a stream is held, before and after it, and who is told what.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ClientStream, withHeader } from '../support/client-stream.ts';
import {
  channelPath,
  devicePath,
  errorOf,
  type Message,
  NO_ADDRESS,
  type Options,
  type RpmsgClient,
  type RpmsgEndpoint,
  SERVICE,
  until,
} from '../support/rpmsg-client.ts';
import type { SceneClient } from '../support/scene-client.ts';
import { startStreamScene, streamRows } from '../support/stream-scene.ts';

/** An echo that is not announced. */
const agreed = 30;
/** For the source: so many messages, of so many bytes, so many ms apart. */
function order(count: number, bytes: number, intervalMs = 0): Buffer {
  const data = Buffer.alloc(12);
  for (const [index, value] of [count, bytes, intervalMs].entries()) {
    data.writeUInt32LE(value, 4 * index);
  }
  return data;
}

const busy = /^org\.rpmsg\.Error\.Busy: /;

describe.each(streamRows)('on $bus, $soc', (row) => {
  const echo = channelPath(row.core, 0, 'echo');
  const device = devicePath(row.core, 0);
  let scene: SceneClient;
  let client: RpmsgClient;
  let endpoint: RpmsgEndpoint;
  let streams: ClientStream[] = [];

  beforeAll(async () => {
    scene = await startStreamScene(row);
  });
  afterEach(async () => {
    for (const stream of streams) stream.close();
    streams = [];
    await scene.endClients();
  });
  afterAll(() => scene?.stop());

  async function start(options?: Options, reads?: boolean): Promise<ClientStream> {
    client = await scene.streamClient();
    endpoint = await client.open(echo);
    return await acquire(options, reads);
  }

  async function acquire(options?: Options, reads?: boolean, of = endpoint) {
    const stream = await ClientStream.acquire(of, options, reads);
    streams.push(stream);
    return stream;
  }

  async function over(stream: ClientStream): Promise<void> {
    stream.close();
    await until('the end of the stream', async () => {
      return (await stream.endpoint.get('Streaming')) === false;
    });
  }

  test.each([
    { mode: 'both', isSending: false, isReceiving: false },
    { mode: 'read', isSending: true, isReceiving: false },
    { mode: 'write', isSending: false, isReceiving: true },
  ])('mode $mode makes busy what it takes over, and nothing else', async (expected) => {
    await start({ mode: ['s', expected.mode] });
    const data = Buffer.from('through a call');
    const address = Number(await endpoint.get('RemoteAddress'));
    const calls = {
      Send: () => endpoint.send(data),
      TrySend: () => endpoint.trySend(data),
      SendTo: () => endpoint.sendTo(data, address),
      TrySendTo: () => endpoint.call('TrySendTo', 'ayu', [data, address]),
      SendBatch: () => endpoint.sendBatch([data]),
    };
    for (const [name, call] of Object.entries(calls)) {
      const outcome = await call().then(() => 'done', String);
      const wanted = expected.isSending ? /^done$/ : /a stream is held on this endpoint/;
      expect([name, outcome]).toEqual([name, expect.stringMatching(wanted)]);
    }
    await until('the answers', async () => {
      const { rx_messages, tx_messages } = await endpoint.stats();
      return rx_messages === tx_messages;
    });
    const received = endpoint.receive(1, 0).then(() => 'done', String);
    const wanted = expected.isReceiving ? /^done$/ : /messages of this endpoint go into a stream/;
    expect(await received).toMatch(wanted);
  });

  test('packets of a stream that writes alone are answered to Receive', async () => {
    const stream = await start({ mode: ['s', 'write'] });
    stream.send('written');
    expect(String(await endpoint.receiveData())).toBe('written');
    // The direction that was not asked for is at its end at once.
    await stream.ended();
  });

  test('a stream that reads alone has the answers to what is sent by call', async () => {
    const stream = await start({ mode: ['s', 'read'] });
    await endpoint.send(Buffer.from('sent'));
    expect(await stream.texts(1)).toEqual(['sent']);
  });

  test('a Receive that waits ends with Busy', async () => {
    client = await scene.streamClient();
    endpoint = await client.open(echo);
    const waiting = errorOf(endpoint.receive(1, 20_000));
    await acquire();
    expect(await waiting).toMatch(busy);
  });

  test('what waits in the queue goes into the stream first, in order', async () => {
    client = await scene.streamClient();
    endpoint = await client.open(echo);
    for (const text of ['one', 'two', 'three', 'four']) await endpoint.send(Buffer.from(text));
    await until('the answers', async () => (await endpoint.stats())['rx_messages'] === 4n);
    expect(String(await endpoint.receiveData())).toBe('one');
    const stream = await acquire();
    stream.send('five');
    expect(await stream.texts(4)).toEqual(['two', 'three', 'four', 'five']);
  });

  test('what the stream did not take is received after it', async () => {
    const stream = await start({ hold: ['u', 256] }, false);
    // More than the socket holds: the rest waits for a reader that never comes.
    for (let n = 0; n < 400; n++) stream.send(`${n}`);
    await until('all', async () => (await endpoint.stats())['rx_messages'] === 400n);
    expect((await endpoint.stats())['rx_drops']).toBe(0n);
    await over(stream);
    const { messages } = await endpoint.receive(400, 1_000);
    const [first] = messages;
    if (first === undefined) throw new Error('nothing was left');
    const numbers = messages.map(({ data }) => Number(data));
    expect(numbers).toEqual(numbers.map((_, index) => Number(first.seq) + index));
    expect(numbers.at(-1)).toBe(399);
  });

  test('subscribers hear nothing meanwhile, and go on after it without a gap or an Overrun', async () => {
    client = await scene.streamClient();
    endpoint = await client.open(echo);
    const heard: Message[] = [];
    const overruns: bigint[] = [];
    await endpoint.subscribe(
      (message) => heard.push(message),
      {},
      (dropped) => overruns.push(dropped),
    );
    await endpoint.send(Buffer.from('before'));
    await until('the first', () => heard.length === 1);
    const stream = await acquire();
    for (let n = 0; n < 300; n++) {
      stream.send(`${n}`);
      if (n % 50 === 49) await stream.received(n + 1);
    }
    expect(heard).toHaveLength(1);
    await over(stream);
    for (const text of ['after', 'more']) await endpoint.send(Buffer.from(text));
    await until('what follows', () => heard.length >= 3);
    expect(heard.map(({ data }) => String(data))).toEqual(['before', 'after', 'more']);
    expect(heard.map(({ seq }) => Number(seq))).toEqual([0, 301, 302]);
    expect(overruns).toEqual([]);
    expect((await endpoint.stats())['rx_overruns']).toBe(0n);
  });

  test('Streaming says whether one is held, and its changes are told', async () => {
    client = await scene.streamClient();
    endpoint = await client.open(echo);
    const watcher = await scene.client();
    const told: unknown[] = [];
    const rule = { sender: SERVICE, path: endpoint.path, member: 'PropertiesChanged' };
    await watcher.bus.subscribe(rule, ({ args: [, changed] }) => told.push(changed));
    expect(await endpoint.get('Streaming')).toBe(false);
    const stream = await acquire();
    expect(await watcher.endpoint(endpoint.path).get('Streaming')).toBe(true);
    await over(stream);
    await until('both', () => told.length === 2);
    const values = told.map((changed) => changed as Record<string, { value: unknown }>);
    expect(values.map((changed) => changed['Streaming']?.value)).toEqual([true, false]);
  });

  test('every counter of the endpoint counts for a stream, too', async () => {
    const stream = await start();
    await stream.echo('x'.repeat(100));
    stream.send('y'.repeat(stream.mtu + 1));
    stream.send('');
    await stream.echo('z');
    const { rx_messages, rx_bytes, rx_drops, rx_empty, rx_foreign, ...stats } =
      await endpoint.stats();
    expect({ rx_messages, rx_bytes, rx_drops, rx_empty, rx_foreign }).toEqual({
      rx_messages: 3n,
      rx_bytes: 101n,
      rx_drops: 0n,
      rx_empty: 1n,
      rx_foreign: 0n,
    });
    const { tx_messages, tx_bytes, tx_refused, tx_discarded } = stats;
    expect({ tx_messages, tx_bytes, tx_refused, tx_discarded }).toEqual({
      tx_messages: 3n,
      tx_bytes: 101n,
      tx_refused: 1n,
      tx_discarded: 0n,
    });
  });

  test('an empty message is a packet for whoever asked for such', async () => {
    const stream = await start({ zero_length: ['b', true] });
    stream.send('');
    stream.send('next');
    expect(await stream.texts(2)).toEqual(['', 'next']);
    expect((await endpoint.stats())['rx_empty']).toBe(0n);
  });

  test('only the holder is told of refused packets, of all of them, and of the last size', async () => {
    client = await scene.streamClient();
    endpoint = client.endpoint(echo);
    const subscriber = await scene.client();
    const strange: string[] = [];
    const iface = `${SERVICE}.Endpoint`;
    for (const member of ['PacketRefused', 'Overrun']) {
      await subscriber.bus.subscribe({ interface: iface, member }, () => strange.push(member));
    }
    await subscriber.endpoint(echo).subscribe(() => {});
    const stream = await acquire();
    for (let n = 1; n <= 20; n++) stream.send('x'.repeat(stream.mtu + n));
    await stream.echo('short enough');
    const total = () => stream.refused.reduce((sum, { count }) => sum + count, 0);
    await until('all', () => total() === 20);
    expect(stream.refused.at(-1)).toMatchObject({ size: stream.mtu + 20 });
    expect(stream.refused.at(-1)?.reason).toBe('longer than the MTU');
    expect(stream.refused.length).toBeLessThanOrEqual(20);
    await subscriber.endpoint(echo).get('Streaming'); // behind whatever was sent to it
    expect(strange).toEqual([]);
  });

  test('the holder alone is told how many messages it lost, and they are the gap', async () => {
    client = await scene.streamClient();
    endpoint = await client.open(channelPath(row.core, 0, 'source'));
    const stream = await acquire({ hold: ['u', 10] }, false);
    stream.send(order(2000, 16));
    await until('all', async () => (await endpoint.stats())['rx_messages'] === 2000n);
    const lost = Number((await endpoint.stats())['rx_drops']);
    expect(lost).toBeGreaterThan(1000);
    stream.read();
    await stream.received(2000 - lost);
    stream.send(order(1, 16));
    const numbers = (await stream.received(2001 - lost)).map((data) => data.readUInt32LE());
    // Those of the beginning are there without a gap.
    expect(numbers.slice(0, -1)).toEqual(numbers.slice(0, -1).map((_, index) => index));
    const told = () => stream.overruns.reduce((sum, count) => sum + count, 0);
    await until('Overrun', () => told() >= lost);
    expect(told()).toBe(lost);
  });

  test('without a peer packets wait, and whoever sends first is it', async () => {
    client = await scene.streamClient();
    const source = channelPath(row.core, 0, 'source');
    const address = Number(await client.get(source, 'Channel', 'RemoteAddress'));
    // Somebody whom the remote goes on sending to although there is another by now.
    const former = await client.create(device, 200, address);
    await former.send(order(200, 16, 20));
    await former.receiveData();
    await former.close();
    endpoint = await client.create(device, 200, NO_ADDRESS);
    const stream = await acquire();
    stream.send(order(3, 20));
    const twenty = () => stream.packets.filter(({ length }) => length === 20);
    await until('what was ordered', () => twenty().length === 3);
    expect(stream.packets[0]).toHaveLength(16);
    expect(await endpoint.get('RemoteAddress')).toBe(address);
    expect(await endpoint.get('Connected')).toBe(true);
  });

  test('with headers everyone is heard, and dst says whom a packet is for', async () => {
    const stream = await start({ framing: ['s', 'header'] });
    const address = Number(await endpoint.get('RemoteAddress'));
    const local = Number(await endpoint.get('LocalAddress'));
    stream.send(withHeader(NO_ADDRESS, Buffer.from('to the peer')));
    stream.send(withHeader(agreed, Buffer.from('to another')));
    stream.send(withHeader(agreed, Buffer.from('wrong'), 4));
    stream.send(Buffer.from('no header'));
    stream.send(withHeader(address, Buffer.from('to the peer by name')));
    const packets = await stream.received(3);
    expect(packets.map((packet) => [packet.readUInt32LE(0), packet.readUInt32LE(4)])).toEqual([
      [address, local],
      [agreed, local],
      [address, local],
    ]);
    expect(packets.map((packet) => [packet.readUInt16LE(12), String(packet.subarray(16))])).toEqual(
      [
        [11, 'to the peer'],
        [10, 'to another'],
        [19, 'to the peer by name'],
      ],
    );
    await until('both refused', () => stream.refused.reduce((n, { count }) => n + count, 0) === 2);
    expect((await endpoint.stats())['rx_foreign']).toBe(0n);
  });

  test('without headers messages of others are counted and not delivered', async () => {
    client = await scene.streamClient();
    endpoint = await client.create(device, NO_ADDRESS, agreed);
    const stream = await acquire({ mode: ['s', 'read'] });
    const address = Number(await client.get(echo, 'Channel', 'RemoteAddress'));
    await endpoint.sendTo(Buffer.from('of another'), address);
    await endpoint.send(Buffer.from('of the peer'));
    expect(await stream.texts(1)).toEqual(['of the peer']);
    expect((await endpoint.stats())['rx_foreign']).toBe(1n);
  });
});
