// SPDX-License-Identifier: Apache-2.0
// The module rpmsgd/client as other programs import it, against a real daemon.

import { once } from 'node:events';
import { type Channel, type Client, connect, type Endpoint, RpmsgError } from 'rpmsgd/client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { firmwareAddress } from '../../packaging/dev/scene.mjs';
import { channelPath, until } from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';

const remotes = [
  { name: 'cm40', platform: 'sim', soc: 'imx8qxp', vdevs: 2 },
  { name: 'm7', platform: 'sim', soc: 'imx8mp', vdevs: 1 },
];

let scene: SceneClient;
let client: Client;

beforeAll(async () => {
  scene = await SceneClient.start({ config: { remote: remotes } });
  client = await connect({ bus: scene.address });
});
afterEach(() => scene.endClients());
afterAll(async () => {
  await client?.close();
  await scene?.stop();
});

async function open(name = 'echo', rxQueue?: number): Promise<Endpoint> {
  const channel = await client.channel('cm40', 0, name);
  return await channel.open(rxQueue === undefined ? {} : { rxQueue });
}

async function failure(promise: Promise<unknown>): Promise<RpmsgError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof RpmsgError) return error;
  throw new Error(`no RpmsgError, but ${error}`);
}

describe('what is there', () => {
  test('remotes, by name and in its order, the same object each time', async () => {
    const all = await client.remotes();
    expect(all.map(({ name }) => name)).toEqual(['cm40', 'm7']);
    expect(await client.remote('m7')).toBe(all[1]);
    expect(await all[0]?.state()).toBe('attached');
    expect(await all[0]?.generation()).toBe(1);
  });

  test('a vdev has a state and counters', async () => {
    const device = await client.device('cm40', 1);
    expect(await device.state()).toBe('up');
    expect(typeof (await device.stats())['rx_messages']).toBe('bigint');
  });

  test('a channel has the path of its object and the address that was announced', async () => {
    const channel = await client.channel('cm40', 0, 'rpmsg-client-sample');
    expect(channel.path).toBe(channelPath('cm40', 0, 'rpmsg-client-sample'));
    expect(await channel.remoteAddress()).toBe(firmwareAddress('rpmsg-client-sample'));
    expect(await channel.tty()).toBeUndefined();
  });

  test('what is not there is an error that names it', async () => {
    expect(await failure(client.remote('m8'))).toMatchObject({
      name: 'org.rpmsg.Error.NoSuchAddress',
      message: 'there is no remote "m8"',
    });
    expect((await failure(client.device('m7', 5))).message).toBe('m7 has no vdev5');
    expect(await failure(client.channel('m7', 0, 'nowhere', { timeoutMs: 20 }))).toMatchObject({
      name: 'org.rpmsg.Error.TimedOut',
      message: 'm7 has not announced "nowhere" on vdev0 within 20 ms',
    });
  });

  test('a bus that is not there is named', async () => {
    await expect(connect({ bus: 'unix:path=/nonexistent/bus' })).rejects.toThrow(
      '/nonexistent/bus',
    );
  });
});

describe('an endpoint', () => {
  test('sends and receives', async () => {
    const endpoint = await open();
    expect(endpoint.mtu).toBe(496);
    expect(endpoint.connected).toBe(true);
    await endpoint.send(Buffer.from('one'));
    await endpoint.trySend(new Uint8Array([1, 2]));
    await endpoint.sendTo(Buffer.from('three'), firmwareAddress('echo'));
    expect(await endpoint.sendBatch([Buffer.from('4'), Buffer.from('5')])).toBe(2);
    const got: Buffer[] = [];
    while (got.length < 5) {
      const { messages, dropped } = await endpoint.receive({ max: 5 });
      expect(dropped).toBe(0n);
      got.push(...messages.map(({ data }) => data));
    }
    expect(got).toEqual(['one', '\x01\x02', 'three', '4', '5'].map((text) => Buffer.from(text)));
    expect((await endpoint.stats())['tx_messages']).toBe(5n);
    await endpoint.close();
    expect((await failure(endpoint.send(Buffer.from('late')))).name).toMatch(/Unknown|NoSuch/);
  });

  test('receives nothing in time, which is no error', async () => {
    const endpoint = await open();
    expect(await endpoint.receive({ timeoutMs: 1 })).toEqual({ messages: [], dropped: 0n });
    await endpoint.close();
  });

  test('gives each message of a loop in order, through many windows of them', async () => {
    const endpoint = await open('source', 500);
    await endpoint.send(Buffer.from(new Uint32Array([500, 8]).buffer));
    const numbers: number[] = [];
    const seqs: bigint[] = [];
    for await (const { seq, source, data } of endpoint.messages({ window: 8 })) {
      expect(source).toBe(firmwareAddress('source'));
      numbers.push(data.readUInt32LE(0));
      seqs.push(seq);
      if (numbers.length === 500) break;
    }
    expect(numbers).toEqual(Array.from({ length: 500 }, (_, index) => index));
    expect(seqs.map((seq) => seq - (seqs[0] ?? 0n))).toEqual(numbers.map(BigInt));
    await endpoint.close();
  });

  test('is sent no more than the window beyond what its loop has asked for', async () => {
    const endpoint = await open('source');
    const loop = endpoint.messages({ window: 4 });
    const first = loop.next();
    await endpoint.send(Buffer.from(new Uint32Array([40, 8]).buffer));
    expect((await first).value?.data.readUInt32LE(0)).toBe(0);
    await until('all of them', async () => Number((await endpoint.stats())['rx_messages']) === 40);
    // What is beyond the window is with the daemon still, and is there for the next who asks.
    await loop.return();
    const { messages } = await endpoint.receive({ max: 40 });
    expect(messages.length).toBeGreaterThanOrEqual(40 - 4 - 1);
    expect(messages.at(-1)?.data.readUInt32LE(0)).toBe(39);
    await endpoint.close();
  });

  test('can be received from again once its loop was left', async () => {
    const endpoint = await open();
    await endpoint.send(Buffer.from('in the loop'));
    for await (const { data } of endpoint.messages()) {
      expect(String(data)).toBe('in the loop');
      break;
    }
    await endpoint.send(Buffer.from('after it'));
    const { messages } = await endpoint.receive();
    expect(messages.map(({ data }) => String(data))).toEqual(['after it']);
    await endpoint.close();
  });

  test('ends its loop when it is closed', async () => {
    const endpoint = await open();
    const loop = endpoint.messages();
    const next = loop.next();
    const closed = once(endpoint, 'closed');
    await endpoint.close();
    expect(await next).toEqual({ done: true, value: undefined });
    await closed;
  });

  test('made without a channel has the addresses that were asked for', async () => {
    const device = await client.device('cm40', 0);
    const remote = firmwareAddress('echo');
    const endpoint = await device.createEndpoint({ name: 'mine', local: 2000, remote });
    await endpoint.send(Buffer.from('hi'));
    const { messages } = await endpoint.receive();
    expect(messages[0]).toMatchObject({ source: remote, data: Buffer.from('hi') });
    const again = device.createEndpoint({ name: 'mine', local: 2000 });
    expect((await failure(again)).name).toBe('org.rpmsg.Error.AddressInUse');
    await endpoint.close();
  });

  test('that everybody shares is not ended by close', async () => {
    const channel: Channel = await client.channel('cm40', 1, 'echo');
    const shared = await channel.shared();
    await shared.close();
    const again = await channel.shared();
    await again.send(Buffer.from('still here'));
    expect(String((await again.receive()).messages[0]?.data)).toBe('still here');
  });
});

describe('a stream', () => {
  test('is a Duplex of messages', async () => {
    const endpoint = await open();
    const stream = await endpoint.stream();
    expect(stream.maxPacketBytes).toBe(496);
    expect((await failure(endpoint.send(Buffer.from('busy')))).name).toBe('org.rpmsg.Error.Busy');
    for (let number = 0; number < 20; number++) stream.write(Buffer.from(String(number)));
    const got: string[] = [];
    for await (const message of stream) {
      got.push(String(message));
      if (got.length === 20) break;
    }
    expect(got).toEqual(Array.from({ length: 20 }, (_, number) => String(number)));
    await endpoint.close();
  });

  test('has the header if that is asked for', async () => {
    const endpoint = await open();
    const stream = await endpoint.stream({ framing: 'header', hold: 4 });
    const packet = Buffer.alloc(18);
    packet.writeUInt32LE(firmwareAddress('echo'), 4);
    packet.writeUInt16LE(2, 12);
    packet.write('hi', 16);
    stream.write(packet);
    const [answer] = (await once(stream, 'data')) as [Buffer];
    expect(answer.readUInt32LE(0)).toBe(firmwareAddress('echo'));
    expect(answer.subarray(16).toString()).toBe('hi');
    stream.destroy();
    await endpoint.close();
  });
});

test('a reset is told, and everything is the same object after it', async () => {
  const remote = await client.remote('cm40');
  const endpoint = await open();
  const stream = await (await open()).stream();
  const loop = endpoint.messages();
  const first = loop.next();
  await endpoint.send(Buffer.from('before'));
  expect((await first).value?.data.toString()).toBe('before');
  const next = loop.next();
  const told = once(remote, 'reset');
  const gone = once(endpoint, 'connected');
  const ready = once(remote, 'ready');
  await scene.board('cm40', 'reset', 'cm40');
  expect(await told).toEqual([{ generation: 1, cause: expect.any(String) }]);
  expect(await gone).toEqual([false]);
  expect(await ready).toEqual([2]);
  await endpoint.whenConnected();
  await endpoint.send(Buffer.from('after'));
  expect((await next).value).toMatchObject({ generation: 2, data: Buffer.from('after') });
  stream.write(Buffer.from('through it'));
  expect(String((await once(stream, 'data'))[0])).toBe('through it');
  stream.destroy();
  await loop.return();
  await scene.daemon.scene.waitForChannels();
});

test('a channel that is not announced yet is waited for', async () => {
  await scene.board('cm40', 'hold', 'cm40');
  await scene.board('cm40', 'kill', 'cm40');
  const path = channelPath('cm40', 0, 'echo');
  const withdrawn = await client.channel('m7', 0, 'echo').then(() => client.remote('cm40'));
  await until('its death', async () => (await withdrawn.state()) !== 'attached');
  const coming = client.channel('cm40', 0, 'echo');
  await scene.board('cm40', 'release', 'cm40');
  expect((await coming).path).toBe(path);
  await scene.daemon.scene.waitForChannels();
});

test('a loop goes on over a restart of the daemon', async () => {
  const endpoint = await open();
  const loop = endpoint.messages();
  await endpoint.send(Buffer.from('before'));
  expect((await loop.next()).value?.data.toString()).toBe('before');
  await scene.daemon.restart('SIGTERM');
  const next = loop.next();
  await endpoint.send(Buffer.from('after'));
  expect((await next).value?.data.toString()).toBe('after');
  await loop.return();
  await endpoint.close();
});

test('the end of the connection ends a loop with an error, and a stream as well', async () => {
  const other = await connect({ bus: scene.address });
  const channel = await other.channel('cm40', 0, 'echo');
  const endpoint = await channel.open();
  const loop = endpoint.messages();
  await endpoint.send(Buffer.from('hello'));
  await loop.next();
  const next = loop.next();
  const stream = await (await channel.open()).stream();
  const ended = once(stream.resume(), 'end');
  await other.close();
  expect((await failure(next)).name).toBe('org.freedesktop.DBus.Error.Disconnected');
  await ended;
});
