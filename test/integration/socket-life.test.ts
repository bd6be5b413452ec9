// SPDX-License-Identifier: Apache-2.0
// The addon's sockets under a hostile or dying JavaScript: wrong arguments, garbage collection, close()
// out of a callback, several environments of one process. Each life is a process of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { NativeAddon } from '../../src/addon/native.ts';
import { compileHelper } from '../support/bus-process.ts';

const build = process.env['RPMSG_BUILD'] ?? fileURLToPath(new URL('../../build', import.meta.url));
const binary = join(build, 'rpmsgd.node');
const directory = mkdtempSync(join(tmpdir(), 'rpmsgd-sockets-'));
const children: ChildProcess[] = [];

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** The path of a peer that echoes nothing, sends for ever and reads nothing. */
async function flood(): Promise<string> {
  const path = join(directory, `${children.length}`);
  const stdio = ['pipe', 'pipe', 'inherit'] as const;
  const child = spawn(compileHelper('packet-peer'), [path], { stdio: [...stdio] });
  children.push(child);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.stdout.resume();
  child.stdin.write('send 4000000000 100\n');
  return path;
}

/** What each script begins with: `busy(path, onPackets)` makes a socket that is kept busy both ways. */
const prelude = `
  const addon = require(${JSON.stringify(binary)});
  function busy(path, onPackets) {
    const bus = new addon.BusSocket(addon.connectSocket(path), () => {
      const fds = [];
      bus.read(fds);
      bus.close();
      let turns = 0;
      const socket = new addon.PacketSocket(fds[0], () => {
        socket.receive();
        socket.send([new Uint8Array(100), new Uint8Array(0)], 0);
        onPackets(socket, ++turns);
      }, 512, true);
      socket.watch(3);
    });
    bus.watch(1);
  }
`;

async function run(
  script: string,
  ...options: string[]
): Promise<[number | string | null, string]> {
  const args = [...options, '-e', prelude + script, await flood()];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  child.stderr.on('data', (data) => (output += data));
  return new Promise((resolve) =>
    child.on('close', (code, signal) => resolve([signal ?? code, output])),
  );
}

describe('wrong arguments', () => {
  const addon = createRequire(import.meta.url)(binary) as NativeAddon;
  const nothing = () => {};

  it.each([
    ['no descriptor', []],
    ['a descriptor that is none', [-1, nothing, 512, false]],
    ['one that is not open', [1_000_000, nothing, 512, false]],
    ['no function', [0, undefined, 512, false]],
  ])('%s is an exception, and leaves nothing behind', (_what, words) => {
    for (const Socket of [addon.BusSocket, addon.PacketSocket]) {
      expect(() => Reflect.construct(Socket, words)).toThrow();
    }
  });

  it.each([0, 2 ** 21, 0.5, '512', undefined])(
    'a longest packet of %s bytes is refused',
    (size) => {
      expect(() => Reflect.construct(addon.PacketSocket, [0, nothing, size, false])).toThrow(
        TypeError,
      );
    },
  );

  it('refuses a receiver that is another class', async () => {
    const socket = new addon.BusSocket(addon.connectSocket(await flood()), nothing);
    const { send } = addon.PacketSocket.prototype;
    expect(() => send.call(socket, [], 0)).toThrow(TypeError);
    socket.close();
  });

  it('answers EBADF after close(), which may be called again', async () => {
    const socket = new addon.BusSocket(addon.connectSocket(await flood()), nothing);
    socket.close();
    socket.close();
    socket.watch(3);
    expect(socket.read([])).toBe(-9);
    expect(socket.write(new Uint8Array(1), 0)).toBe(-9);
    expect(socket.write(new Uint8Array(1), 2)).toBe(-22);
  });

  it('tells why a socket cannot be reached', () => {
    expect(addon.connectSocket(join(directory, 'nobody'))).toBe(-2);
    expect(addon.connectSocket('x'.repeat(200))).toBe(-36);
  });
});

describe('the end of a socket', () => {
  it('may be asked for inside its own callback, under traffic', async () => {
    const script = `busy(process.argv[1], (socket, n) => {
      if (n === 200) { socket.close(); console.log('closed'); }
    })`;
    expect(await run(script)).toEqual([0, 'closed\n']);
  });

  it('comes with process.exit under traffic', async () => {
    expect(
      await run('busy(process.argv[1], (_, n) => { if (n === 200) process.exit(7); })'),
    ).toEqual([7, '']);
  });

  it('does not come with garbage collection while it is open', async () => {
    const script = `busy(process.argv[1], (_, n) => {
      if (n % 50 === 0) globalThis.gc();
      if (n === 400) { console.log('alive'); process.exit(0); }
    });`;
    expect(await run(script, '--expose-gc')).toEqual([0, 'alive\n']);
  });

  it('comes with a worker that is terminated under traffic, while another goes on', async () => {
    const paths = await Promise.all([flood(), flood(), flood(), flood()]);
    const script = `
      const { Worker } = require('node:worker_threads');
      const body = ${JSON.stringify(`${prelude}
        const { parentPort, workerData } = require('node:worker_threads');
        busy(workerData, (_, n) => { if (n === 50) parentPort.postMessage(n); });`)};
      let isOver = false;
      busy(process.argv[1], () => {
        if (!isOver) return;
        console.log('goes on');
        process.exit(0);
      });
      (async () => {
        for (const workerData of ${JSON.stringify(paths)}) {
          const worker = new Worker(body, { eval: true, workerData });
          await new Promise((resolve, reject) => {
            worker.once('message', resolve);
            worker.once('error', reject);
          });
          await worker.terminate();
        }
        isOver = true;
      })();`;
    expect(await run(script)).toEqual([0, 'goes on\n']);
  });
});
