// SPDX-License-Identifier: Apache-2.0
// The addon's objects under a hostile or dying JavaScript: wrong arguments, garbage collection,
// close() out of a callback, environments that end under traffic. Each life is a process of its own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Child } from '../../packaging/dev/child.mjs';
import type { NativeAddon, NativeLink } from '../../src/addon/native.ts';
import { buildDirectory, withBoard } from '../support/soc-board.ts';

const binary = join(buildDirectory, 'rpmsgd.node');

/** What each script begins with: a running link whose endpoint on `echo` (address 3) is kept busy. */
const prelude = `
  const addon = require(${JSON.stringify(binary)});
  const setup = { kind: 'sim', core: 'cm40', soc: '', stateFile: '', vdevs: 1, vringBase: 0x90000000,
    vringStride: 0x10000, vring1Offset: 0x8000, bufferBase: 0x90400000, bufferStride: 0x40000,
    tableBase: 0, tableBytes: 0,
    descriptors: 256, align: 4096, bufferBytes: 512, slots: 1024, readyWaitMs: 50,
    partition: -1, losslessVdevs: 0 };
  function busy(socket, onEvents) {
    const link = new addon.Link();
    const opened = link.openRemote({ ...setup, socket });
    if (opened.error) throw new Error(opened.error);
    link.openEndpoint(1, 0, 0, 1024, 256, 128, 0);
    link.grant(1, 2 ** 40);
    let batches = 0;
    const problem = link.start(() => {
      link.drain();
      for (let n = 0; n < 32; n++) link.send(1, 3, new Uint8Array(100), 1, 0, n);
      link.release(1, 2 ** 40);
      onEvents(link, ++batches);
    }, 0, 0);
    if (problem !== '') throw new Error(problem);
    return link;
  }
`;

/**
 * Runs a script, with the socket of a board that nobody has talked to, as rings cannot change hands
 * under a live remote: its exit status (or signal) and what it wrote.
 */
async function run(
  script: string,
  ...options: string[]
): Promise<[number | string | null, string]> {
  return await withBoard(async ({ socket }) => {
    const child = new Child('script', process.execPath, [
      ...options,
      '-e',
      prelude + script,
      socket,
    ]);
    onTestFinished(() => child.kill('SIGKILL'));
    const { code, signal } = await child.exited;
    return [signal ?? code, child.output];
  });
}

describe('wrong arguments', () => {
  const load = (): NativeAddon => createRequire(import.meta.url)(binary);
  const wrong = [[], [Symbol('x')], [-1, -1, -1], [2 ** 53], [0.5], ['1', '1'], [null], [{}], [1n]];
  const methods = [
    ...['openRemote', 'start', 'openEndpoint', 'closeEndpoint', 'grant', 'sync', 'release'],
    'noteReleased',
    ...['send', 'cancelCaller', 'reinitialize', 'deviceStats', 'endpointStats', 'deviceStatus'],
  ] as const;

  it.each(methods)('%s throws a TypeError and changes nothing', (method) => {
    const link = new (load().Link)();
    const call = (Reflect.get(link, method) as (...words: unknown[]) => unknown).bind(link);
    for (const words of wrong) {
      if (method === 'start') expect(() => call(...words, 0)).toThrow(TypeError);
      expect(() => call(...words)).toThrow(TypeError);
    }
    link.close();
  });

  it('refuses a receiver that is no link, and a call without new', () => {
    const { Link } = load();
    const link = new Link();
    const send = link.send as unknown as (this: unknown) => void;
    for (const receiver of [{}, null, 1, Link, Link.prototype, new Map()]) {
      expect(() => send.call(receiver)).toThrow(TypeError);
    }
    expect(() => (Link as unknown as () => NativeLink)()).toThrow(TypeError);
    link.close();
  });

  it('passes on what a getter or a proxy throws', () => {
    const link = new (load().Link)();
    const thrown = new Error('from the getter');
    const fail = (): never => {
      throw thrown;
    };
    const throwing: object[] = [new Proxy({}, { get: fail })];
    for (const name of ['socket', 'core', 'vringBase']) {
      const setup = { kind: 'sim', socket: 'none', core: 'cm40', soc: '', stateFile: '' };
      throwing.push(Object.defineProperty(setup, name, { get: fail }));
    }
    for (const setup of throwing) expect(() => link.openRemote(setup as never)).toThrow(thrown);
    const list = Object.defineProperty([], 0, { get: fail });
    expect(() => load().sendFds(0, new Uint8Array(1), list)).toThrow(thrown);
    expect(() => load().lockFile(Symbol('x') as never)).toThrow(TypeError);
    link.close();
  });

  it('answers every call after close(), which may be called again', () => {
    const link = new (load().Link)();
    link.close();
    link.close();
    expect(link.send(1, 1, new Uint8Array(1), 1, 1, 1)).toBe('shutting_down');
    expect(link.openEndpoint(1, 0, 0, 1, 1, 1, 0)).toBe('shutting_down');
    expect(link.drain()).toBeNull();
    expect(link.start(() => {}, 0, 0)).not.toBe('');
  });
});

describe('the end of a link', () => {
  it('may be asked for inside its own callback, under traffic', async () => {
    const script = `busy(process.argv[1], (link, n) => { if (n === 200) { link.close(); console.log('closed'); } })`;
    expect(await run(script)).toEqual([0, 'closed\n']);
  });

  it('comes with process.exit under traffic', async () => {
    expect(
      await run('busy(process.argv[1], (_, n) => { if (n === 200) process.exit(7); })'),
    ).toEqual([7, '']);
  });

  it('comes with an exception in its callback, which is uncaught', async () => {
    const [status, output] = await run(
      `busy(process.argv[1], (_, n) => { if (n === 200) throw new Error('mine'); })`,
    );
    expect(status).toBe(1);
    expect(output).toContain('mine');
  });

  it('does not come with garbage collection while it runs', async () => {
    const script = `
      busy(process.argv[1], (_, n) => {
        if (n % 50 === 0) globalThis.gc();
        if (n === 400) { console.log('alive'); process.exit(0); }
      });
      for (let i = 0; i < 200; i++) new addon.Link();
      globalThis.gc();`;
    expect(await run(script, '--expose-gc')).toEqual([0, 'alive\n']);
  });

  it('comes with a worker that is terminated under traffic, again and again', async () => {
    // Each has a board of its own, one after the other: a socket comes in, and word that it ended.
    const script = `
      const { Worker } = require('node:worker_threads');
      const { createInterface } = require('node:readline');
      const body = ${JSON.stringify(`${prelude}
        const { parentPort, workerData } = require('node:worker_threads');
        busy(workerData, (_, n) => { if (n === 50) parentPort.postMessage(n); });`)};
      (async () => {
        for await (const workerData of createInterface(process.stdin)) {
          const worker = new Worker(body, { eval: true, workerData });
          await new Promise((resolve, reject) => {
            worker.once('message', resolve);
            worker.once('error', reject);
          });
          await worker.terminate();
          console.log('ended');
        }
      })();`;
    const child = spawn(process.execPath, ['-e', prelude + script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    for (let life = 0; life < 4; life++) {
      await withBoard(async ({ socket }) => {
        child.stdin.write(`${socket}\n`);
        expect(await lines.next()).toEqual({ done: false, value: 'ended' });
      });
    }
    child.stdin.end();
    expect(await once(child, 'close')).toEqual([0, null]);
  });
});
