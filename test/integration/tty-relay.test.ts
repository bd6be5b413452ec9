// SPDX-License-Identifier: Apache-2.0
// Bytes between a real pseudo-terminal and packets: that they are what they were, that nobody is overrun,
// and what is left for whoever goes on with the same descriptors.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { loadAddon } from '../../src/addon/native.ts';
import { PacketSocket } from '../../src/addon/packet-socket.ts';
import { openPty, slavePath, TtyRelay } from '../../src/addon/pty.ts';
import { sendFds } from '../../src/addon/system.ts';
import { until } from '../support/rpmsg-client.ts';

const messageBytes = 256;
const packetBytes = 496;

let cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.reverse()) cleanup();
  cleanups = [];
});

/** Another descriptor of the same file. */
function duplicate(fd: number): number {
  const [near, far] = loadAddon().packetPair() as [number, number];
  const received: number[] = [];
  const socket = new (loadAddon().BusSocket)(far, () => {});
  sendFds(near, Buffer.from('x'), [fd]);
  socket.read(received);
  socket.close();
  closeSync(near);
  return received[0] as number;
}

/** A relay, the other end of its socket, and what the next one is to go on with. */
function start() {
  const master = openPty();
  const [packets, far] = loadAddon().packetPair() as [number, number];
  const path = slavePath(master);
  const left = { master: duplicate(master), packets: duplicate(packets) };
  const peer = new PacketSocket(far, { maxPacketBytes: packetBytes });
  const overs: (Error | undefined)[] = [];
  const relay = relayOf({ master, packets }, (error) => overs.push(error));
  cleanups.push(
    () => peer.destroy(),
    () => closeSync(left.packets),
    () => closeSync(left.master),
  );
  return { relay, peer, path, left, overs };
}

function relayOf(
  pair: { master: number; packets: number },
  over: (error: Error | undefined) => void = () => {},
): TtyRelay {
  const sizes = { maxMessageBytes: messageBytes, maxPacketBytes: packetBytes };
  const relay = new TtyRelay({ ...pair, ...sizes, over });
  cleanups.push(() => relay.close());
  return relay;
}

function openSlave(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
}

/** What can be read at once. */
function readSome(slave: number): Buffer {
  const room = Buffer.alloc(65_536);
  try {
    return room.subarray(0, readSync(slave, room));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return Buffer.alloc(0);
    throw error;
  }
}

async function readAll(slave: number, bytes: number): Promise<Buffer> {
  let all = Buffer.alloc(0);
  await until(`${bytes} bytes`, () => {
    all = Buffer.concat([all, readSome(slave)]);
    return all.length >= bytes;
  });
  return all;
}

/** So many packets of random bytes, and all of them in one. */
function randomPackets(count: number): { packets: Buffer[]; all: Buffer } {
  const packets = Array.from({ length: count }, () => randomBytes(packetBytes));
  return { packets, all: Buffer.concat(packets) };
}

/** Writes until nothing more is taken by terminal, socket and stream. */
async function fill(peer: PacketSocket, packets: readonly Buffer[]): Promise<void> {
  for (const packet of packets) peer.write(packet);
  let before = -1;
  await until('a stall', () => {
    const isStill = peer.writableLength === before && before > 0;
    before = peer.writableLength;
    return isStill;
  });
}

describe('a relay', () => {
  it('makes packets of at most the size that it is given, with every byte in its place', async () => {
    const { peer, path } = start();
    const slave = openSlave(path);
    const sent = randomBytes(1_000);
    writeSync(slave, sent);
    const packets: Buffer[] = [];
    peer.on('data', (packet: Buffer) => packets.push(packet));
    await until('all', () => Buffer.concat(packets).length === sent.length);
    expect(Buffer.concat(packets)).toEqual(sent);
    expect(Math.max(...packets.map(({ length }) => length))).toBeLessThanOrEqual(messageBytes);
    closeSync(slave);
  });

  it('gives bytes to whoever opens the terminal later, and goes on when it was closed', async () => {
    const { peer, path } = start();
    peer.write(Buffer.from('before'));
    for (const text of ['before', 'again']) {
      const slave = openSlave(path);
      expect(String(await readAll(slave, text.length))).toBe(text);
      writeSync(slave, 'x');
      closeSync(slave);
      const [packet] = await once(peer, 'data');
      expect(String(packet)).toBe('x');
      peer.write(Buffer.from('again'));
    }
  });

  it('lets the other end of the socket wait for a reader, and loses nothing', async () => {
    const { peer, path } = start();
    const { packets, all } = randomPackets(1_000);
    await fill(peer, packets);
    const slave = openSlave(path);
    expect((await readAll(slave, all.length)).equals(all)).toBe(true);
    closeSync(slave);
  });

  it('leaves to the next one what it has not passed on, in the middle of a packet, too', async () => {
    const { relay, peer, path, left } = start();
    const { packets, all } = randomPackets(1_000);
    await fill(peer, packets);
    relay.close();
    const slave = openSlave(path);
    const first = readSome(slave);
    relayOf({ master: duplicate(left.master), packets: duplicate(left.packets) });
    const rest = await readAll(slave, all.length - first.length);
    expect(Buffer.concat([first, rest]).equals(all)).toBe(true);
    closeSync(slave);
  });

  it('is over when the other end of the socket is closed, once and without an error', async () => {
    const { peer, path, overs } = start();
    const slave = openSlave(path);
    peer.destroy();
    await until('the end', () => overs.length > 0);
    writeSync(slave, 'nobody hears it');
    expect(overs).toEqual([undefined]);
    closeSync(slave);
  });

  it('refuses what cannot be watched', () => {
    const fds = [openSync('/dev/null', 'r+'), openSync('/dev/null', 'r+')] as const;
    expect(() => relayOf({ master: fds[0], packets: fds[1] })).toThrow(/cannot be watched/);
  });
});
