// SPDX-License-Identifier: Apache-2.0
// SEQPACKET sockets in JavaScript, with another process at the other end.

import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readdirSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { PacketSocket, type PacketSocketOptions } from '../../src/addon/packet-socket.ts';
import { PacketPeer } from '../support/packet-peer.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

async function pair(options: Partial<PacketSocketOptions> = {}) {
  const peer = await PacketPeer.start();
  const socket = new PacketSocket(peer.fd, { maxPacketBytes: 512, ...options });
  ends.push(() => {
    socket.destroy();
    peer.stop();
  });
  return { peer, socket };
}

function numbered(number: number, sizeBytes: number): Buffer {
  const packet = Buffer.alloc(sizeBytes);
  packet.writeUInt32LE(number);
  return packet;
}

/** The next `count` packets. */
async function take(socket: PacketSocket, count: number): Promise<Buffer[]> {
  const packets: Buffer[] = [];
  while (packets.length < count) {
    const packet = socket.read() as Buffer | null;
    if (packet !== null) packets.push(packet);
    else await once(socket, 'readable');
  }
  return packets;
}

describe('packets', () => {
  it('come one by one, in order and whole', async () => {
    const { peer, socket } = await pair();
    const sending = peer.tell('send 200 496');
    const packets = await take(socket, 200);
    expect(await sending).toBe('sent 200');
    expect(packets.map((packet) => packet.readUInt32LE())).toEqual([...packets.keys()]);
    expect(packets.every(({ length }) => length === 496)).toBe(true);
  });

  it('go one by one, in order and whole', async () => {
    const { peer, socket } = await pair();
    for (let number = 0; number < 200; number++) socket.write(numbered(number, 100));
    expect(await peer.tell('receive 200')).toBe('received 200 20000 in order');
  });

  it('that are longer than agreed are told by their size, and the next ones come', async () => {
    const { peer, socket } = await pair();
    const truncated = once(socket, 'truncated');
    await peer.tell('send 1 513');
    await peer.tell('send 1 512');
    socket.resume();
    expect(await truncated).toEqual([513]);
    socket.pause();
  });

  it('that are too long to send are refused by name, and the next ones go', async () => {
    const { peer, socket } = await pair();
    expect(() => socket.write(Buffer.alloc(513))).toThrow(
      'a packet of 513 bytes is too long: the longest is 512',
    );
    socket.write(numbered(0, 512));
    expect(await peer.tell('receive 1')).toBe('received 1 512 in order');
  });

  it('without bytes are told from the end where they may come', async () => {
    const { peer, socket } = await pair({ hasEmptyPackets: true });
    await peer.tell('send 3 0');
    await peer.tell('send 1 4');
    await peer.tell('send 1 0');
    await peer.tell('close');
    const packets: Buffer[] = [];
    for await (const packet of socket.iterator({ destroyOnReturn: false })) packets.push(packet);
    expect(packets.map(({ length }) => length)).toEqual([0, 0, 0, 4, 0]);
  });

  it.each([true, false])('bring no descriptors with them (empty packets: %s)', async (empty) => {
    const { peer, socket } = await pair({ hasEmptyPackets: empty });
    const before = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 5; i++) await peer.tell('attach');
    expect(String((await take(socket, 5))[4])).toBe('with a descriptor');
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});

describe('back-pressure', () => {
  it('leaves packets in the socket while nobody reads', async () => {
    const { peer, socket } = await pair();
    const sending = peer.tell('send 20000 496');
    await once(socket, 'readable');
    const isSending = await Promise.race([sending, new Promise((done) => setImmediate(done))]);
    expect(isSending).toBeUndefined();
    expect(socket.readableLength).toBeLessThanOrEqual(128);
    const packets = await take(socket, 20_000);
    expect(packets.every((packet, i) => packet.readUInt32LE() === i)).toBe(true);
    expect(await sending).toBe('sent 20000');
  });

  it('says false while the other end does not read, and drain when it did', async () => {
    const { peer, socket } = await pair({ highWaterMark: 32 });
    let written = 0;
    const drains = () =>
      new Promise((resolve) => {
        socket.once('drain', () => resolve(true));
        setTimeout(() => resolve(false), 50);
      });
    do while (socket.write(numbered(written++, 496)));
    while (await drains());
    expect(socket.writableLength).toBe(32);
    const received = peer.tell(`receive ${written}`);
    await once(socket, 'drain');
    expect(await received).toMatch(/in order$/);
  });

  it('uses no time while it waits', async () => {
    const { peer, socket } = await pair();
    while (socket.write(Buffer.alloc(496)));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 500_000).toBeLessThan(0.5);
    peer.stop();
  });
});

describe('the end', () => {
  it('comes to the other side after all that was written', async () => {
    const { peer, socket } = await pair();
    for (let number = 0; number < 5000; number++) socket.write(numbered(number, 496));
    socket.end();
    expect(await peer.tell('receive 1000000')).toBe('received 5000 2480000 in order');
  });

  it('is finished once the other side has taken everything', async () => {
    const { peer, socket } = await pair();
    let isFinished = false;
    const finished = once(socket, 'finish').then(() => {
      isFinished = true;
    });
    for (let number = 0; number < 10; number++) socket.write(numbered(number, 100));
    socket.end();
    await peer.tell('receive 9');
    expect(isFinished).toBe(false);
    await peer.tell('receive 1');
    await finished;
  });

  it('is an error to a writer alone, too, when the other side closed and left packets unread', async () => {
    const { peer, socket } = await pair();
    await peer.tell('shutdown');
    socket.resume();
    await once(socket, 'end');
    socket.write(Buffer.alloc(10));
    socket.end();
    const failed = once(socket, 'error');
    await peer.tell('close');
    expect(await failed).toMatchObject([{ code: 'ECONNRESET' }]);
  });

  it('of reading leaves writing as it is', async () => {
    const { peer, socket } = await pair();
    await peer.tell('shutdown');
    socket.resume();
    await once(socket, 'end');
    socket.write(numbered(0, 10));
    expect(await peer.tell('receive 1')).toBe('received 1 10 in order');
    socket.end();
    await once(socket, 'close');
  });

  it('comes after what the other end sent before it closed, also to who writes', async () => {
    const { peer, socket } = await pair();
    await peer.tell('send 100 100');
    await peer.tell('close');
    const failed = once(socket, 'error');
    socket.write(Buffer.alloc(10));
    const packets: Buffer[] = [];
    socket.on('data', (packet: Buffer) => packets.push(packet));
    expect(await failed).toMatchObject([{ code: 'EPIPE' }]);
    expect(packets.length).toBe(100);
    expect(socket.destroyed).toBe(true);
  });

  it('is an error when the other end closed and left packets unread', async () => {
    const { peer, socket } = await pair();
    await peer.tell('send 3 100');
    socket.write(Buffer.alloc(10));
    await peer.tell('close');
    let count = 0;
    socket.on('data', () => count++);
    expect(await once(socket, 'error')).toMatchObject([{ code: 'ECONNRESET' }]);
    expect(count).toBe(3);
  });

  it('closes the descriptor once, however often it is asked for', async () => {
    const { peer, socket } = await pair();
    socket.destroy();
    expect(() => fstatSync(peer.fd)).toThrow('EBADF');
    // Its number is given out again, and the file behind it is not ours to close.
    const others: number[] = [];
    while (!others.includes(peer.fd)) others.push(openSync('/dev/null', 'r'));
    socket.destroy();
    socket.on('error', () => {});
    socket.write(Buffer.alloc(1));
    await once(socket, 'close');
    expect(fstatSync(peer.fd).isCharacterDevice()).toBe(true);
    for (const fd of others) closeSync(fd);
  });
});
