// SPDX-License-Identifier: Apache-2.0
// A stream in the booted system, on its bus and in its sandbox, over what happens to the daemon and to
// the remote: systemd's own descriptor store keeps the socket meanwhile.

import { describe, expect, test } from 'vitest';
import { sharedMachine } from './support/fixture.ts';
import { installFiles, repackage, simulatedMachine, users } from './support/installed.ts';
import { StreamTraffic, type StreamVerdict } from './support/stream-traffic.ts';
import { until } from './support/until.ts';

const machine = sharedMachine(() => simulatedMachine());
const kills = 5;

/** How many descriptors systemd keeps for the daemon. */
async function keptDescriptors(): Promise<number> {
  return Number((await machine().unit('rpmsgd'))['NFileDescriptorStore']);
}

/** The client is gone: systemd is to drop its socket. */
async function expectForgotten(): Promise<void> {
  await until('systemd keeps no descriptor', async () => (await keptDescriptors()) === 0);
}

/** What no event here may change: each packet came back as it was, in order, and none twice. */
const inOrder = { repeated: 0, altered: 0, missing: 0, overruns: 0, refusals: 0 };

/** Each packet came back exactly once. */
const whole = { ...inOrder, gaps: [], ends: 0, peerResets: 0 };

function expectWhole(verdict: StreamVerdict): void {
  expect(verdict).toMatchObject(whole);
  expect(verdict.echoed).toBe(verdict.sent);
}

const orderly: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['systemctl restart', () => machine().must(['systemctl', 'restart', 'rpmsgd'])],
  [
    'a restart of systemd itself and then of the daemon',
    () => machine().shell('systemctl daemon-reexec; systemctl restart rpmsgd'),
  ],
  [
    'the installation of a higher version',
    () =>
      installFiles(machine(), [repackage('rpmsgd', '98.0'), repackage('rpmsgd-simulator', '98.0')]),
  ],
];

test.each(orderly)('over %s each packet comes once and in order', async (_, end) => {
  const traffic = await StreamTraffic.start(machine());
  expect(await keptDescriptors()).toBe(1);
  await end();
  await traffic.lives(2);
  expect(await keptDescriptors()).toBe(1);
  expectWhole(await traffic.finish());
  await expectForgotten();
});

test('over SIGKILL each packet comes once and in order, time and again', async () => {
  const traffic = await StreamTraffic.start(machine());
  for (let life = 2; life <= kills + 1; life++) {
    await machine().must(['systemctl', 'kill', '--signal=KILL', '--kill-whom=main', 'rpmsgd']);
    await traffic.lives(life);
    expect(await keptDescriptors()).toBe(1);
  }
  expectWhole(await traffic.finish());
  await expectForgotten();
});

/** Stops the firmware, and waits until its ring is full and more packets wait in the socket. */
async function hangRemote(traffic: StreamTraffic): Promise<void> {
  await machine().must(['pkill', '-STOP', '-x', 'rpmsg-firmware']);
  await traffic.said('STUCK', 1);
}

/** Packets of one piece are missing in the middle, and nothing else; resolves with how many. */
function lostInOnePiece({ sent, echoed, gaps }: StreamVerdict): number {
  expect(gaps.length).toBeLessThanOrEqual(1);
  const lost = gaps[0]?.[1] ?? 0;
  expect(echoed + lost).toBe(sent);
  return lost;
}

/**
 * A life of the remote answers in order until it ends. What it had not answered is one piece of the
 * numbers: first what was in its ring, then what no ring had taken, which is dropped and counted. From
 * the first packet that the next life answers on none is missing.
 */
function expectOneReset(verdict: StreamVerdict): void {
  const { sent, echoed, stats } = verdict;
  expect(verdict).toMatchObject({ ...inOrder, ends: 0, peerResets: 0 });
  const lost = lostInOnePiece(verdict);
  const { tx_messages: intoRings = 0, tx_discarded: discarded = 0 } = stats;
  expect(stats).toMatchObject({ rx_messages: echoed, rx_drops: 0, tx_refused: 0 });
  expect(intoRings + discarded).toBe(sent);
  expect(discarded).toBeLessThanOrEqual(lost);
}

test('over a partition reset only what the former life had not answered is missing', async () => {
  const traffic = await StreamTraffic.start(machine());
  await machine().must(['rpmsgctl', 'sim', 'reset', 'cm40']);
  await traffic.remoteLives(1);
  expect(await keptDescriptors()).toBe(1);
  expectOneReset(await traffic.finish());
  await expectForgotten();
});

test('over the reset of a remote that hangs, what its ring had no room for is counted', async () => {
  const traffic = await StreamTraffic.start(machine());
  await hangRemote(traffic);
  await machine().must(['rpmsgctl', 'sim', 'reset', 'cm40']);
  await traffic.remoteLives(1);
  const verdict = await traffic.finish();
  expectOneReset(verdict);
  expect(verdict.stats['tx_discarded']).toBeGreaterThan(0);
});

/** Of a stop systemd keeps nothing: what is in the socket goes, what is in the ring stays. */
test('stop ends it, and tells what was not taken; start has the rest of the answers', async () => {
  const traffic = await StreamTraffic.start(machine());
  await hangRemote(traffic);
  await machine().must(['systemctl', 'stop', 'rpmsgd']);
  await traffic.said('END', 1);
  expect(await keptDescriptors()).toBe(0);
  await machine().must(['systemctl', 'start', 'rpmsgd']);
  await machine().must(['pkill', '-CONT', '-x', 'rpmsg-firmware']);
  await traffic.lives(2);
  expect(await keptDescriptors()).toBe(1);
  const verdict = await traffic.finish();
  expect(verdict).toMatchObject({ ...inOrder, ends: 1, peerResets: 1 });
  expect(lostInOnePiece(verdict)).toBeGreaterThan(0);
  await expectForgotten();
});

describe('rpmsgctl stream', () => {
  const stream = 'rpmsgctl stream cm40/vdev0 echo';

  test('passes the bytes of a member through a pipe', async () => {
    const script = `head -c 100000 /dev/urandom >/tmp/there
      ${stream} </tmp/there >/tmp/back
      cmp /tmp/there /tmp/back`;
    expect(await machine().shell(script, { user: users.member })).toBe('');
    await expectForgotten();
  });

  test('ends with status 1 when the daemon is stopped', async () => {
    const script = `tail -f /dev/null | ${stream}`;
    const running = machine().exec(['bash', '-c', script], { user: users.member });
    await until('it has a stream', async () => (await keptDescriptors()) === 1);
    await machine().must(['systemctl', 'stop', 'rpmsgd']);
    await machine().must(['pkill', '-x', 'tail']);
    expect(await running).toEqual({
      status: 1,
      stdout: '',
      stderr: 'rpmsgctl: the endpoint was closed\n',
    });
    await machine().must(['systemctl', 'start', 'rpmsgd']);
  });
});
