// SPDX-License-Identifier: Apache-2.0
// Subscriptions: to whom signals go, how many at most, what acknowledges them, and what is lost.

import { afterEach, describe, expect, it, vi } from 'vitest';
import { BusError } from '../../src/dbus/index.ts';
import {
  ErrorName,
  echoPath,
  errorName,
  Harness,
  options,
  rpmsgError,
  tick,
} from './support/objects-harness.ts';

afterEach(() => {
  vi.useRealTimers();
});

const manual = (window: number) => options({ ack: ['s', 'manual'], window: ['u', window] });

function subscribe(harness: Harness, given = {}, sender = ':1.1') {
  return harness.endpoint(echoPath, 'Subscribe', [given], { sender });
}

function arrive(harness: Harness, count: number): void {
  for (let i = 0; i < count; i++) harness.link.receive(0, harness.localOf(echoPath), 30, `${i}`);
  harness.link.flush();
}

function numbersSent(harness: Harness, to = ':1.1'): number[] {
  return harness.tree.signals
    .filter((signal) => signal.member === 'MessageReceived' && signal.to === to)
    .map(({ args }) => args[0] as number);
}

function overruns(harness: Harness, to = ':1.1'): number[] {
  return harness.tree.signals
    .filter((signal) => signal.member === 'Overrun' && signal.to === to)
    .map(({ args }) => args[0] as number);
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index);

describe('Subscribe', () => {
  it('sends every message to each subscriber alone', async () => {
    const harness = Harness.up();
    await subscribe(harness);
    await subscribe(harness, {}, ':1.2');
    arrive(harness, 3);
    expect(numbersSent(harness)).toEqual([0, 1, 2]);
    expect(numbersSent(harness, ':1.2')).toEqual([0, 1, 2]);
    expect(harness.tree.signals.every(({ to }) => to === ':1.1' || to === ':1.2')).toBe(true);
  });

  it('returns the window that holds', async () => {
    const harness = Harness.up();
    expect(await subscribe(harness)).toBe(64);
    expect(await subscribe(harness, options({ window: ['u', 7] }), ':1.2')).toBe(7);
  });

  it('sends first what waited for Receive', async () => {
    const harness = Harness.up();
    arrive(harness, 2);
    await subscribe(harness);
    harness.link.flush();
    expect(numbersSent(harness)).toEqual([0, 1]);
  });

  it('never sends more than the window beyond what is acknowledged', async () => {
    const harness = Harness.up();
    await subscribe(harness, manual(3));
    arrive(harness, 10);
    expect(numbersSent(harness)).toEqual([0, 1, 2]);
    await harness.endpoint(echoPath, 'Ack', [1n]);
    expect(numbersSent(harness)).toEqual([0, 1, 2, 3, 4]);
    await harness.endpoint(echoPath, 'Ack', [4n]);
    expect(numbersSent(harness)).toEqual(range(0, 8));
  });

  it('keeps messages in the link until they are acknowledged', async () => {
    const harness = Harness.up();
    await subscribe(harness, manual(10));
    arrive(harness, 4);
    const endpoint = harness.link.endpointAt(0, harness.localOf(echoPath));
    expect(endpoint?.queue).toHaveLength(4);
    await harness.endpoint(echoPath, 'Ack', [2n]);
    expect(endpoint?.queue.map(({ seq }) => seq)).toEqual([3]);
  });

  it('tells a subscriber that does not read what it lost, once it reads again', async () => {
    const harness = Harness.up({ limits: { rxQueue: 8 } });
    await subscribe(harness, manual(2));
    arrive(harness, 2);
    arrive(harness, 98);
    expect(numbersSent(harness)).toEqual([0, 1]);
    await harness.endpoint(echoPath, 'Ack', [1n]);
    const [, , next = 0] = numbersSent(harness);
    expect(next).toBeGreaterThan(2);
    expect(overruns(harness)).toEqual([next - 2]);
    expect(harness.stats(echoPath)['rx_overruns']).toBe(BigInt(next - 2));
  });

  it('finds within a second what lies behind a gap that nobody could foresee', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const harness = Harness.up({ limits: { rxQueue: 4 } });
    await subscribe(harness, manual(2));
    arrive(harness, 100);
    expect(numbersSent(harness)).toEqual([]);
    vi.advanceTimersByTime(1_000);
    harness.link.flush();
    expect(numbersSent(harness)).toEqual([96, 97]);
    expect(overruns(harness)).toEqual([96]);
  });

  it('does not let a slow subscriber hold up a fast one', async () => {
    const harness = Harness.up({ limits: { rxQueue: 8 } });
    await subscribe(harness, manual(2));
    await subscribe(harness, manual(100), ':1.2');
    for (let round = 0; round < 20; round++) {
      arrive(harness, 4);
      const newest = numbersSent(harness, ':1.2').at(-1) ?? 0;
      await harness.endpoint(echoPath, 'Ack', [BigInt(newest)], { sender: ':1.2' });
    }
    expect(numbersSent(harness, ':1.2')).toEqual(range(0, 80));
    expect(overruns(harness, ':1.2')).toEqual([]);
    await harness.endpoint(echoPath, 'Ack', [1n]);
    const slow = numbersSent(harness);
    const lost = overruns(harness).reduce((sum, dropped) => sum + dropped, 0);
    expect(slow.length + lost).toBe((slow.at(-1) ?? 0) + 1);
  });

  it('starts a second subscriber with the message after those sent already', async () => {
    const harness = Harness.up();
    await subscribe(harness);
    arrive(harness, 3);
    await subscribe(harness, {}, ':1.2');
    arrive(harness, 1);
    expect(numbersSent(harness, ':1.2')).toEqual([3]);
  });

  it('goes on for Receive where the last subscriber stopped', async () => {
    const harness = Harness.up();
    await subscribe(harness, manual(2));
    arrive(harness, 4);
    await harness.endpoint(echoPath, 'Unsubscribe');
    const [messages, dropped] = (await harness.endpoint(echoPath, 'Receive', [9, 0])) as [
      [number][],
      number,
    ];
    expect(messages.map(([seq]) => seq)).toEqual([2, 3]);
    expect(dropped).toBe(0);
  });

  it('answers before the first signal', async () => {
    const harness = Harness.up();
    arrive(harness, 1);
    let sentBefore = -1;
    const answer = subscribe(harness).then(() => {
      sentBefore = harness.tree.signals.length;
    });
    await answer;
    expect(sentBefore).toBeLessThanOrEqual(1);
    expect(numbersSent(harness)).toEqual([0]);
  });

  it('refuses a second subscription of a client, and ends with Unsubscribe', async () => {
    const harness = Harness.up();
    await subscribe(harness);
    expect(await errorName(subscribe(harness))).toBe(rpmsgError('Busy'));
    await harness.endpoint(echoPath, 'Unsubscribe');
    arrive(harness, 1);
    expect(numbersSent(harness)).toEqual([]);
    const again = harness.endpoint(echoPath, 'Unsubscribe');
    expect(await errorName(again)).toBe(ErrorName.invalidArgs);
    await subscribe(harness);
  });

  it('ends when the client vanishes, and gives back its place', async () => {
    const harness = Harness.up({ limits: { subscriptionsPerUid: 1 } });
    await subscribe(harness);
    expect(await errorName(subscribe(harness, {}, ':1.2'))).toBe(rpmsgError('QuotaExceeded'));
    harness.clients.vanish(':1.1');
    arrive(harness, 1);
    expect(numbersSent(harness)).toEqual([]);
    await subscribe(harness, {}, ':1.2');
    expect(numbersSent(harness, ':1.2')).toEqual([0]);
  });

  it('is nothing to a client that vanished while the bus was asked about it', async () => {
    const harness = Harness.up();
    let answer: (value: { uid: number; gids: number[] }) => void = () => {};
    harness.clients.credentials = () => new Promise((resolve) => (answer = resolve));
    const call = subscribe(harness).catch(() => 'refused');
    await tick();
    harness.clients.vanish(':1.1');
    answer({ uid: 0, gids: [] });
    expect(await call).toBe('refused');
    arrive(harness, 1);
    expect(numbersSent(harness)).toEqual([]);
  });

  it.each([
    ['an unknown key', { colour: ['s', 'red'] }],
    ['a wrong type', { window: ['s', '7'] }],
    ['a window of 0', { window: ['u', 0] }],
    ['a window above the limit', { window: ['u', 1025] }],
    ['an unknown mode', { ack: ['s', 'never'] }],
  ] as const)('refuses %s', async (_what, given) => {
    const answer = subscribe(Harness.up(), options(given as never));
    expect(await errorName(answer)).toBe(ErrorName.invalidArgs);
  });
});

describe('acknowledgement', () => {
  it('asks for a pong each half window and counts it', async () => {
    const harness = Harness.up();
    let asked = 0;
    harness.ping = () => {
      asked++;
      return Promise.resolve([]);
    };
    await subscribe(harness, options({ window: ['u', 8] }));
    arrive(harness, 3);
    expect(asked).toBe(0);
    arrive(harness, 97);
    await tick();
    harness.link.flush();
    await tick();
    for (let i = 0; i < 40 && numbersSent(harness).length < 100; i++) {
      harness.link.flush();
      await tick();
    }
    expect(numbersSent(harness)).toEqual(range(0, 100));
    expect(asked).toBeGreaterThanOrEqual(100 / 8);
    expect(asked).toBeLessThanOrEqual(100 / 4);
  });

  it('counts an error of the client itself as read', async () => {
    const harness = Harness.up();
    harness.ping = () => Promise.reject(new BusError(ErrorName.unknownMethod, 'no Peer here'));
    await subscribe(harness, options({ window: ['u', 2] }));
    arrive(harness, 3);
    await tick();
    harness.link.flush();
    await tick();
    expect(numbersSent(harness)).toEqual([0, 1, 2]);
  });

  it('stops at the window for a client that does not answer', async () => {
    const harness = Harness.up();
    harness.ping = () => Promise.reject(new BusError(ErrorName.noReply, 'silence'));
    await subscribe(harness, options({ window: ['u', 4] }));
    arrive(harness, 50);
    await tick();
    harness.link.flush();
    await tick();
    expect(numbersSent(harness)).toEqual([0, 1, 2, 3]);
  });

  it('never stalls where the queue is smaller than the window', async () => {
    const harness = Harness.up({ limits: { rxQueue: 4 } });
    await subscribe(harness);
    for (let i = 0; i < 30; i++) {
      arrive(harness, 1);
      await tick();
    }
    expect(numbersSent(harness)).toEqual(range(0, 30));
    expect(overruns(harness)).toEqual([]);
  });

  it('takes an Ack in mode auto too, but none for what was never sent', async () => {
    const harness = Harness.up();
    await subscribe(harness);
    arrive(harness, 2);
    await harness.endpoint(echoPath, 'Ack', [1n]);
    for (const seq of [2n, 0xffffffffffffffffn]) {
      const answer = harness.endpoint(echoPath, 'Ack', [seq]);
      expect(await errorName(answer)).toBe(ErrorName.invalidArgs);
    }
    const stranger = harness.endpoint(echoPath, 'Ack', [0n], { sender: ':1.9' });
    expect(await errorName(stranger)).toBe(ErrorName.invalidArgs);
  });
});
