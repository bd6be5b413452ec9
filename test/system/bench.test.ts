// SPDX-License-Identifier: Apache-2.0
// The benchmark's own programs: what it measures with, what it measures against, and its exit status.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { daemonCpu, restCpu } from '../bench/pinning.ts';
import { runClient, startReference } from '../bench/programs.ts';
import { type Reference, startBareRelay, startInProcessHost } from '../bench/references.ts';
import { onStage } from '../bench/stage.ts';
import { readyTime, restartGap } from '../bench/starts.ts';
import { runStreams } from '../bench/streams.ts';
import { checkout, runProgram } from '../support/daemon-process.ts';

const sizes = [0, 16, 496];
const context = { rounds: 1, signal: new AbortController().signal, say: () => {} };

async function using(starting: Promise<Reference>, work: (reference: Reference) => Promise<void>) {
  const reference = await starting;
  try {
    await work(reference);
  } finally {
    await reference.stop();
  }
}

describe('the in-process host', () => {
  it.each(['tx', 'rx', 'rtt'])('moves every message of every size unaltered: %s', (mode) =>
    using(startInProcessHost(2), async (host) => {
      for (const bytes of sizes) {
        const { count, seconds } = await host.run(mode, bytes, 1_000);
        expect(count).toBe(1_000);
        expect(seconds).toBeGreaterThan(0);
      }
    }),
  );

  it('ends when a message is not as it was sent', () =>
    using(startInProcessHost(1, '--fault bad-length:5'), async (host) => {
      await host.run('rtt', 16, 4);
      await expect(host.run('rtt', 16, 1)).rejects.toThrow(
        /inprocess-host .*longer than its buffer/,
      );
    }));
});

it('the bare relay gives back every packet', () =>
  using(startBareRelay(), async (relay) => {
    expect((await relay.run('rtt', 496, 100)).count).toBe(100);
    expect((await relay.run('rtt', 16, 100)).latency).not.toHaveLength(0);
  }));

it('the client on the bus measures the daemon and the C service alike', () =>
  onStage({ vdevs: 1 }, {}, async (stage) => {
    const words = [stage.address, 'org.rpmsg.bench', restCpu];
    const service = await startReference(daemonCpu, 'bus-service', words);
    const sides = [
      ['org.rpmsg', stage.channel('sink'), stage.channel('source')],
      ['org.rpmsg.bench', '/org/rpmsg/bench', '/org/rpmsg/bench'],
    ] as const;
    for (const [name, sink, source] of sides) {
      const run = (channel: string, mode: string) =>
        runClient(restCpu, 'bus-client', [stage.address, name, channel, mode, 496, 600]);
      expect((await run(sink, 'sync')).count).toBe(600);
      expect((await run(sink, 'pipelined')).count).toBe(600);
      expect((await run(source, 'signal')).count).toBe(600);
    }
    expect(await stage.sunk()).toBe(1_200);
    await service.stop();
  }));

it('the client of streams moves every message through one or several, and says what is amiss', () =>
  onStage({ vdevs: 2, isLossless: true }, {}, async (stage) => {
    for (const vdevs of [[1], [0, 1]]) {
      const tx = await runStreams(stage, { name: 'tx', channel: 'sink' }, vdevs, 496, 1_000);
      const rx = await runStreams(stage, { name: 'rx', channel: 'source' }, vdevs, 16, 1_000);
      expect([tx.count, rx.count]).toEqual([1_000 * vdevs.length, 1_000 * vdevs.length]);
    }
    const rtt = await runStreams(stage, { name: 'rtt', channel: 'echo' }, [0], 496, 100);
    expect(rtt.latency?.reduce((sum, [, times]) => sum + times, 0)).toBe(100);
    const wrong = runStreams(stage, { name: 'tx', channel: 'echo' }, [0], 16, 10);
    await expect(wrong).rejects.toThrow(/sink/);
  }));

it.each([readyTime, restartGap])('$name has a value and a reference a round', async (row) => {
  const { values, references } = await row.measure(context);
  expect([values.length, references?.length]).toEqual([1, 1]);
  for (const ms of [...values, ...(references ?? [])]) expect(ms).toBeGreaterThan(0);
});

describe('npm run bench', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rpmsgd-bench-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const run = (...args: string[]) =>
    runProgram(process.execPath, [`${checkout}packaging/dev/bench.mjs`, ...args]);

  function reportWith(met: boolean): string {
    const file = join(folder, 'bench.json');
    const row = { name: 'r', what: 'x', unit: 'ms', goal: '<= 1 x', met, value: null, error: 'e' };
    writeFileSync(file, JSON.stringify({ machine: {}, rows: [row] }));
    return file;
  }

  it.each([
    [true, 0],
    [false, 1],
  ])('ends, with every goal met: %s, with status %i', async (met, status) => {
    expect((await run('--from', reportWith(met))).status).toBe(status);
  });

  it('refuses a row that there is not, and a number of rounds that is none', async () => {
    const unknown = await run('--no-build', 'bus_send');
    expect(unknown.stderr).toContain('there is no row "bus_send": it is one of bus_send_sync, ');
    const none = await run('--rounds', '0');
    expect([none.status, none.stderr]).toEqual([1, '--rounds "0" must be a number from 1 up\n']);
  });
});
