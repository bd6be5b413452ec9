// SPDX-License-Identifier: Apache-2.0
// Receiving descriptors over real buses: the right one for each call, and none kept that was not asked
// for.

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BusSocket } from '../../src/addon/bus-socket.ts';
import { sendFds } from '../../src/addon/system.ts';
import { type Bus, connectBus, type ReceivedFd } from '../../src/dbus/index.ts';
import { BUS_KINDS, type BusProcess, startBus } from '../support/bus-process.ts';
import { IFACE, OBJECT, SERVICE, type Service, startService } from '../support/bus-service.ts';
import { openNulls } from '../support/descriptor-bus.ts';
import { RawBus } from '../support/raw-bus.ts';

const connectSocket = (path: string) => BusSocket.connect(path);

describe.each(BUS_KINDS)('%s', (kind) => {
  const directory = mkdtempSync(join(tmpdir(), 'rpmsg-files-'));
  let process_: BusProcess;
  let service: Service;
  let client: Bus;

  beforeAll(async () => {
    process_ = await startBus(kind);
    service = await startService(process_.address, { sendFds });
    client = await connectBus(process_.address, { connectSocket });
    let count = 0;
    service.thing.openDescriptor = () => {
      const path = join(directory, 'file');
      writeFileSync(path, String(count++));
      const fd = openSync(path, 'r');
      rmSync(path);
      return fd;
    };
  });
  afterAll(async () => {
    await client?.close();
    await service?.bus.close();
    await process_?.stop();
    rmSync(directory, { recursive: true });
  });

  const descriptor = (wantFds: boolean) =>
    client.call(SERVICE, OBJECT, IFACE, 'Descriptor', '', [], { wantFds, timeoutMs: 10_000 });
  const echo = (text: string) => client.call(SERVICE, OBJECT, IFACE, 'Echo', 's', [text]);

  /** What the file says whose descriptor a reply brought. */
  const read = ([value]: readonly unknown[]): number => {
    const fd = (value as ReceivedFd).take();
    const text = readFileSync(fd, 'utf8');
    closeSync(fd);
    return Number(text);
  };

  test('each of many calls at once gets the descriptor that was opened for it', async () => {
    expect(client.canPassFds).toBe(true);
    for (let round = 0; round < 10; round++) {
      const calls: Promise<unknown[]>[] = [];
      for (let i = 0; i < 30; i++) {
        calls.push(descriptor(true));
        calls.push(echo('x'.repeat(i * 100)));
      }
      const replies = await Promise.all(calls);
      const numbers = replies.filter((_, i) => i % 2 === 0).map(read);
      expect(numbers).toEqual(numbers.map((_, i) => (numbers[0] ?? 0) + i));
    }
  });

  test('descriptors that a call did not ask for are closed', async () => {
    const fds = new Set<number>();
    for (let i = 0; i < 20; i++) {
      await descriptor(false);
      const [value] = await descriptor(true);
      const fd = (value as ReceivedFd).take();
      fds.add(fd);
      closeSync(fd);
    }
    // The kernel gives out the lowest number that is free: they do not climb.
    expect(fds.size).toBeLessThan(5);
  });

  test('signals and calls with descriptors from a stranger leave nothing open', async () => {
    const before = openNulls();
    const stranger = await RawBus.connectWithDescriptors(process_.socket);
    const to = { destination: client.name, path: '/', interface: 'a.b', unixFds: 3 };
    for (let i = 0; i < 20; i++) {
      stranger.send({ ...to, type: 4, member: 'Signal' }, 3);
      stranger.send({ ...to, type: 1, member: 'Call' }, 3);
    }
    // The bus keeps the order, so what it sent was read once this is answered.
    await stranger.call({ destination: SERVICE, path: OBJECT, interface: IFACE, member: 'Pair' });
    expect(read(await descriptor(true))).toBeGreaterThan(0);
    expect(await echo('undisturbed')).toEqual(['undisturbed']);
    expect(openNulls()).toBe(before);
    stranger.close();
  });
});
