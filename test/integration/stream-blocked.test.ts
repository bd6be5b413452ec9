// SPDX-License-Identifier: Apache-2.0
// A stream's messages go on while the JavaScript of the process that holds the link does nothing at all:
// its main thread sleeps for a second, and another process makes round trips meanwhile.

import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Child } from '../../packaging/dev/child.mjs';
import { compileHelper } from '../support/bus-process.ts';
import { buildDirectory, withBoard } from '../support/soc-board.ts';

const blockedMs = 1_000;
/** What else the machine does can spoil a measurement, but not each of so many. */
const measurements = 3;

/** Holds the link, gives the pinger a stream of an endpoint on `echo` (address 3), and then sleeps. */
const script = `
  const addon = require(${JSON.stringify(join(buildDirectory, 'rpmsgd.node'))});
  const { spawn } = require('node:child_process');
  const { closeSync } = require('node:fs');
  const [socket, program, count] = process.argv.slice(1);
  const link = new addon.Link();
  const opened = link.openRemote({ kind: 'sim', socket, core: 'cm40', soc: '', stateFile: '', vdevs: 1,
    vringBase: 0x90000000, vringStride: 0x10000, vring1Offset: 0x8000, bufferBase: 0x90400000,
    bufferStride: 0x40000, descriptors: 256, align: 4096, bufferBytes: 512, slots: 1024,
    tableBase: 0, tableBytes: 0, readyWaitMs: 50, partition: -1, losslessVdevs: 0 });
  if (opened.error) throw new Error(opened.error);
  link.openEndpoint(1, 0, 0, 1024, 256, 128, 0);
  const problem = link.start(() => { while (link.drain() !== null); }, 0, 0);
  if (problem !== '') throw new Error(problem);
  const [ours, theirs] = addon.packetPair();
  const readsAndWrites = 3, fixedPeer = 32;
  link.openStream(1, ours, readsAndWrites | fixedPeer, 64, 3, opened.generation, 0);
  const pinger = spawn(program, { stdio: ['pipe', 'pipe', 'inherit', theirs] });
  closeSync(theirs);
  let output = '';
  const times = [];
  pinger.stdout.on('data', (data) => {
    output += data;
    if (!output.startsWith('warm') || times.length > 0) return;
    for (let n = 0; n < Number(count); n++) {
      const from = process.hrtime.bigint();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${blockedMs});
      times.push(from + ' ' + process.hrtime.bigint());
    }
    pinger.stdin.end(times.join('\\n') + '\\n');
  });
  pinger.on('close', (code) => {
    console.log(JSON.stringify({ code, output: output.split('\\n').slice(1).filter(Boolean) }));
    link.close();
  });
`;

interface Blocked {
  readonly code: number;
  readonly output: readonly string[];
}

async function measure(): Promise<Blocked> {
  const pinger = compileHelper('stream-pinger');
  return await withBoard(async ({ socket }) => {
    const words = ['-e', script, socket, pinger, `${measurements}`];
    const host = new Child('host', process.execPath, words);
    onTestFinished(() => host.kill('SIGKILL'));
    const { code } = await host.exited;
    if (code !== 0) throw host.failure();
    return JSON.parse(host.output) as Blocked;
  });
}

test('JavaScript that is blocked for a second delays no message of a stream', async () => {
  const { code, output } = await measure();
  expect(code).toBe(0);
  const all = output.map((line) => line.split(' ').map(Number));
  expect(all).toHaveLength(measurements);
  const [[trips = 0, longestNs = Infinity] = []] = all.sort(([, a = 0], [, b = 0]) => a - b);
  // Whoever waited for JavaScript would have waited for all of it.
  expect(longestNs / 1e6).toBeLessThan(blockedMs / 4);
  expect(trips).toBeGreaterThan(20);
});
