// SPDX-License-Identifier: Apache-2.0
// What a run of the benchmark leaves behind: the JSON file, the README's block, the plots.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type BenchOptions, bench } from '../bench/main.ts';
import { readmeBlock, replaceBlock } from '../bench/readme.ts';
import type { Report } from '../bench/result.ts';
import type { Row, Samples } from '../bench/row.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rpmsgd-bench-'));
  vi.spyOn(console, 'log').mockImplementation(() => {});
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

function row(name: string, samples: Samples | Error): Row {
  return {
    name,
    what: `what ${name} is`,
    unit: 'messages/s',
    goal: { limit: 1, is: 'at least' },
    measure: () => (samples instanceof Error ? Promise.reject(samples) : Promise.resolve(samples)),
  };
}

const met: Samples = {
  values: [30, 20, 10],
  references: [10, 10, 20],
  beside: [{ what: '16 B', sizeBytes: 16, values: [50], references: [40] }],
  latencies: {
    values: [
      [8, 90],
      [9, 10],
    ],
    references: [[7, 1]],
  },
};
const missed: Samples = { values: [1], references: [2] };

function run(rows: readonly Row[], options: Partial<BenchOptions> = {}): Promise<boolean> {
  const signal = new AbortController().signal;
  return bench({ names: [], rounds: 1, signal, ...options }, rows);
}

async function reportOf(rows: readonly Row[]): Promise<Report> {
  const json = join(folder, 'bench.json');
  await run(rows, { json });
  return JSON.parse(readFileSync(json, 'utf8'));
}

describe('a run', () => {
  it('meets its goals only if every row does', async () => {
    expect(await run([row('a', met), row('b', met)])).toBe(true);
    expect(await run([row('a', met), row('b', missed)])).toBe(false);
  });

  it('goes on past a row that cannot be measured, and has not met its goals then', async () => {
    const report = await reportOf([row('a', new Error('no such thing')), row('b', met)]);
    expect(report.rows.map(({ name, met: isMet }) => [name, isMet])).toEqual([
      ['a', false],
      ['b', true],
    ]);
  });

  it('measures only the rows that are named, and no row that there is not', async () => {
    const rows = [row('a', met), row('b', missed)];
    expect(await run(rows, { names: ['a'] })).toBe(true);
    await expect(run(rows, { names: ['c'] })).rejects.toThrow('no row "c": it is one of a, b');
  });

  it('ends where it is when it is told to', async () => {
    const signal = AbortSignal.abort(new Error('stop'));
    await expect(run([row('a', new Error('aborted'))], { signal })).rejects.toThrow('stop');
  });
});

describe('the JSON file', () => {
  it('has name, value, unit, reference, ratio, goal and met of each row', async () => {
    const { rows } = await reportOf([row('a', met), row('b', { values: [3] })]);
    expect(rows[0]).toMatchObject({
      name: 'a',
      value: 20,
      unit: 'messages/s',
      reference: 10,
      ratio: 2,
      goal: '>= 1 x',
      met: true,
      spread: [10, 30],
      beside: [{ what: '16 B', sizeBytes: 16, value: 50, reference: 40, ratio: 1.25 }],
    });
    expect(rows[1]).toMatchObject({ value: 3, reference: null, ratio: null, met: true });
  });

  it('says what machine the figures were taken on, and how it was pinned', async () => {
    const { machine } = await reportOf([row('a', met)]);
    expect(machine).toMatchObject({ node: process.version, arch: process.arch });
    expect(machine.pinning).toMatch(/daemon on CPU 0.*busy_poll_us 0|not pinned/);
  });

  it('can be read again instead of measuring', async () => {
    const json = join(folder, 'bench.json');
    await run([row('a', missed)], { json });
    expect(await run([], { from: json })).toBe(false);
  });
});

describe('the README', () => {
  it('has its block replaced and nothing else', async () => {
    const report = await reportOf([row('a', met)]);
    const path = fileURLToPath(new URL('../../README.md', import.meta.url));
    const readme = readFileSync(path, 'utf8');
    const written = replaceBlock(readme, readmeBlock(report));
    expect(written).toContain(
      '| `a` | what a is | 20 messages/s | 10 messages/s | 2 | >= 1 x | yes |',
    );
    expect(replaceBlock(written, readmeBlock(report))).toBe(written);
    const outside = (text: string) => text.split(/<!-- .* -->/).filter((_, part) => part !== 1);
    expect(outside(written)).toEqual(outside(readme));
  });

  it('without its marks is left alone', () => {
    expect(() => replaceBlock('# Something', 'block')).toThrow(/must have one block from/);
  });
});

describe('the plots', () => {
  it('are SVG with a curve a side: the daemon, and what it is held against', async () => {
    await run([row('bus_signal', met), row('stream_rtt', met)], { svg: folder });
    const throughput = readFileSync(join(folder, 'throughput.svg'), 'utf8');
    const latency = readFileSync(join(folder, 'latency.svg'), 'utf8');
    for (const svg of [throughput, latency]) expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect(throughput).toContain('MessageReceived');
    expect(throughput).toContain('C service&#39;s signals');
    expect(latency).toContain('bare relay, round trip');
  });

  it('leave out a row that could not be measured', async () => {
    await run([row('bus_signal', new Error('no such thing'))], { svg: folder });
    expect(readFileSync(join(folder, 'throughput.svg'), 'utf8')).not.toContain('MessageReceived');
  });
});
