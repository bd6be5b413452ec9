// SPDX-License-Identifier: Apache-2.0
// The daemon's own end in the booted system, under traffic both ways: what its next life has to keep
// (ARCHITECTURE.md), and how long the remote waits for it.

import { expect, test } from 'vitest';
import { sharedMachine } from './support/fixture.ts';
import { installFiles, repackage, simulatedMachine } from './support/installed.ts';
import { Traffic, type Verdict } from './support/traffic.ts';

const machine = sharedMachine(() => simulatedMachine());
const kills = 5;

function firmware(): Promise<string> {
  return machine().must(['pgrep', '-x', 'rpmsg-firmware']);
}

/** Nothing lost, nothing doubled, nothing said that is not so. */
const whole = { lost: 0, doubled: 0, untrue: 0, gaps: 0, unexpected: 0, unexpectedName: '' };

/** Every message of every order came, each once. */
function expectWholeOrders(verdict: Verdict): void {
  const { orders, ordersDoubtful, leastOfOrder, mostOfOrder } = verdict;
  expect(mostOfOrder).toBe(leastOfOrder);
  expect(leastOfOrder).toBeGreaterThanOrEqual(orders);
  expect(leastOfOrder).toBeLessThanOrEqual(orders + ordersDoubtful);
}

/** The client's endpoints are where they were, and its own. */
async function expectSameEndpoints(traffic: Traffic): Promise<void> {
  const [owner, ...paths] = traffic.opened;
  expect(paths).toHaveLength(2);
  for (const path of paths) {
    const property = ['get-property', 'org.rpmsg', path, 'org.rpmsg.Endpoint', 'Owner'];
    expect(await machine().must(['busctl', ...property])).toBe(`s "${owner}"\n`);
  }
}

const orderly: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['systemctl restart', () => machine().must(['systemctl', 'restart', 'rpmsgd'])],
  [
    'systemctl stop, then start',
    () => machine().shell('systemctl stop rpmsgd; systemctl start rpmsgd'),
  ],
  [
    'the installation of a higher version',
    () =>
      installFiles(machine(), [repackage('rpmsgd', '98.0'), repackage('rpmsgd-simulator', '98.0')]),
  ],
];

test.each(orderly)('%s loses nothing, doubles nothing and leaves no doubt', async (_, end) => {
  const before = await firmware();
  const traffic = await Traffic.start(machine());
  await end();
  await traffic.lives(2);
  await expectSameEndpoints(traffic);
  const verdict = await traffic.finish();
  expect(verdict).toMatchObject({ ...whole, doubtful: 0, ordersDoubtful: 0, repeated: 0 });
  expectWholeOrders(verdict);
  expect(await firmware()).toBe(before);
});

/** How long `program` takes in the machine, from start to end, in milliseconds; the median of five. */
async function medianMs(...program: readonly string[]): Promise<number> {
  const script = `for _ in 1 2 3 4 5; do
      a=$(date +%s%N); "$@"; b=$(date +%s%N); echo $((b - a)); done`;
  const text = await machine().must(['sh', '-c', script, 'sh', ...program]);
  const times = text.trim().split('\n').map(Number);
  return (times.sort((a, b) => a - b)[2] ?? 0) / 1e6;
}

/** When systemd saw a daemon dead, and when it started the next: CLOCK_MONOTONIC in ms. */
interface Death {
  readonly diedMs: number;
  readonly startedMs: number;
}

async function lastDeath(): Promise<Death> {
  const unit = await machine().unit('rpmsgd');
  return {
    diedMs: Number(unit['ActiveExitTimestampMonotonic']) / 1000,
    startedMs: Number(unit['ExecMainStartTimestampMonotonic']) / 1000,
  };
}

/** From the last message before a death to the first after it. */
function drainedAfter({ diedMs, startedMs }: Death, { pauses }: Verdict) {
  const [from, to] = pauses.find(([, end]) => end > diedMs) ?? [0, 0];
  return { startMs: startedMs - from, allMs: to - from };
}

test('SIGKILL loses nothing, doubles nothing, and the remote is drained again soon', async () => {
  const before = await firmware();
  const traffic = await Traffic.start(machine());
  const deaths: Death[] = [];
  for (let life = 2; life <= kills + 1; life++) {
    await machine().must(['systemctl', 'kill', '--signal=KILL', '--kill-whom=main', 'rpmsgd']);
    await traffic.lives(life);
    deaths.push(await lastDeath());
  }
  await expectSameEndpoints(traffic);
  const verdict = await traffic.finish();
  expect(verdict).toMatchObject(whole);
  expectWholeOrders(verdict);
  expect(await firmware()).toBe(before);
  const waits = deaths.map((death) => drainedAfter(death, verdict));
  const node = await medianMs('node', '-e', '0');
  const list = waits.map(({ startMs, allMs }) => `${allMs.toFixed(0)} (${startMs.toFixed(0)})`);
  console.log(
    `SIGKILL to the remote being drained again: ${list.join(', ')} ms, in brackets what systemd ` +
      `took of it to start another; \`node -e 0\`: ${node.toFixed(0)} ms`,
  );
  for (const { startMs, allMs } of waits) expect(allMs).toBeGreaterThan(startMs);
});
