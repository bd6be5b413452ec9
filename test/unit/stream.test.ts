// SPDX-License-Identifier: Apache-2.0
// The stream of an endpoint as the daemon keeps it: what happens while it is being made, how often its
// holder is told something, and what the next daemon makes of what the last one left.

import { fstatSync, openSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { StreamNote } from '../../src/addon/types.ts';
import {
  devicePath,
  ErrorName,
  echoPath,
  endpointIface,
  errorName,
  Harness,
  options,
  rpmsgError,
  testConfig,
  tick,
} from './support/objects-harness.ts';
import { arrive, begin, next, sentTo } from './support/restarts.ts';

const holder = ':1.7';
const calm: StreamNote = {
  peer: undefined,
  generation: 1,
  refused: 0,
  refusedBytes: 0,
  refusal: '',
  dropped: 0,
};

function acquire(harness: Harness, given = {}, path = echoPath): Promise<unknown> {
  return harness.endpoint(path, 'AcquireStream', [given], { sender: holder });
}

const isStreaming = (harness: Harness) => harness.get(echoPath, endpointIface, 'Streaming');

function idOf(harness: Harness, path = echoPath): number {
  const id = harness.link.endpointAt(0, harness.localOf(path))?.setup.id;
  if (id === undefined) throw new Error(`${path} is not open`);
  return id;
}

/** The service manager takes its time; what is returned lets it answer. */
function delayKeep(harness: Harness): () => Promise<void> {
  let answer = () => {};
  harness.keep = () =>
    new Promise((resolve) => {
      answer = () => resolve(true);
    });
  return async () => {
    answer();
    await tick();
    harness.link.flush();
  };
}

describe('a stream that is being made', () => {
  it('is not served before the service manager has its socket and the answer has left', async () => {
    const harness = Harness.up();
    const keep = delayKeep(harness);
    let leave = () => {};
    harness.leave = (callback) => {
      leave = callback;
    };
    const answer = acquire(harness);
    await tick();
    expect(harness.link.streams.size).toBe(0);
    await keep();
    await answer;
    expect(harness.link.streams.size).toBe(0);
    leave();
    expect([...harness.link.streams.keys()]).toEqual([idOf(harness)]);
  });

  it('is already Busy for others, and Streaming', async () => {
    const harness = Harness.up();
    const keep = delayKeep(harness);
    const answer = acquire(harness);
    await tick();
    expect(isStreaming(harness)).toBe(true);
    expect(await errorName(acquire(harness))).toBe(rpmsgError('Busy'));
    expect(await errorName(harness.endpoint(echoPath, 'Send', [Buffer.from('x')]))).toBe(
      rpmsgError('Busy'),
    );
    await keep();
    await answer;
  });

  it('is given up if its client leaves meanwhile, and nothing is kept of it', async () => {
    const harness = Harness.up({ limits: { streamsPerUid: 1 } });
    const keep = delayKeep(harness);
    const answer = acquire(harness);
    answer.catch(() => {});
    await tick();
    harness.clients.vanish(holder);
    await keep();
    await expect(answer).rejects.toThrow();
    expect(harness.link.streams.size).toBe(0);
    expect(isStreaming(harness)).toBe(false);
    expect(harness.forgotten).toEqual([`stream-${idOf(harness)}`]);
    // Neither the endpoint nor the quota is taken any more.
    harness.keep = () => Promise.resolve(true);
    await acquire(harness);
    expect(isStreaming(harness)).toBe(true);
  });

  it('loses nothing of what is on its way to subscribers if it never comes to be served', async () => {
    const harness = Harness.up();
    await harness.endpoint(echoPath, 'Subscribe', [{}]);
    const local = harness.localOf(echoPath);
    arrive(harness, local, 2);
    const keep = delayKeep(harness);
    const answer = acquire(harness);
    answer.catch(() => {});
    await tick();
    arrive(harness, local, 3);
    expect(sentTo(harness, ':1.1')).toEqual([0, 1]);
    harness.clients.vanish(holder);
    await keep();
    arrive(harness, local, 1);
    expect(sentTo(harness, ':1.1')).toEqual([0, 1, 2, 3, 4, 5]);
    expect(harness.tree.signals.map(({ member }) => member)).not.toContain('Overrun');
  });

  it('is over at once if a Reload narrows the channel meanwhile', async () => {
    const harness = Harness.up();
    const keep = delayKeep(harness);
    const answer = acquire(harness);
    await tick();
    await harness.service.applyReload(testConfig({ channels: [narrowed] }));
    await keep();
    await answer.catch(() => {});
    expect(harness.link.streams.size).toBe(0);
    expect(isStreaming(harness)).toBe(false);
  });
});

const narrowed = { name: 'echo', hello: false, tty: false, group: 'dialout' };

describe('a channel that is narrowed to a group', () => {
  it('gives a stream to members of it alone', async () => {
    const harness = Harness.up({ channels: [narrowed] });
    expect(await errorName(acquire(harness))).toBe(ErrorName.accessDenied);
    expect(isStreaming(harness)).toBe(false);
    harness.clients.vanish(holder);
    harness.clients.credentialsOf.set(holder, { uid: 1000, gids: [1000, 20] });
    await acquire(harness);
    expect(isStreaming(harness)).toBe(true);
  });

  it('keeps no stream over a restart that was acquired before it was narrowed', async () => {
    const harness = begin();
    harness.keep = () => Promise.resolve(true);
    await acquire(harness);
    const inherited = new Map([[`stream-${idOf(harness)}`, openSync('/dev/null', 'r')]]);
    const restarted = await next(harness, { inherited, channels: [narrowed] });
    expect(isStreaming(restarted)).toBe(false);
    expect(restarted.link.streams.size).toBe(0);
  });

  it('keeps over a restart the stream of a member', async () => {
    const harness = begin({ channels: [narrowed] });
    harness.keep = () => Promise.resolve(true);
    harness.clients.credentialsOf.set(holder, { uid: 1000, gids: [1000, 20] });
    await acquire(harness);
    const inherited = new Map([[`stream-${idOf(harness)}`, openSync('/dev/null', 'r')]]);
    const restarted = await next(harness, { inherited, channels: [narrowed] });
    expect(isStreaming(restarted)).toBe(true);
  });
});

describe('what its holder is told', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  async function start(): Promise<(note: Partial<StreamNote>) => void> {
    const harness = Harness.up();
    await acquire(harness);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    told = () => harness.tree.signals.filter(({ to }) => to === holder).map(({ args }) => args);
    end = () => harness.service.streamOver(idOf(harness), 0);
    return (note) => harness.service.streamNote(idOf(harness), { ...calm, ...note });
  }
  let told: () => unknown[];
  let end: () => void;

  it('comes at once, and what follows together, once each 100 ms', async () => {
    const note = await start();
    for (let n = 0; n < 10; n++) note({ dropped: 2 });
    expect(told()).toEqual([[2]]);
    vi.advanceTimersByTime(99);
    expect(told()).toEqual([[2]]);
    vi.advanceTimersByTime(1);
    expect(told()).toEqual([[2], [18]]);
    note({ dropped: 1 });
    note({ dropped: 1 });
    expect(told()).toEqual([[2], [18]]);
    vi.advanceTimersByTime(100);
    expect(told()).toEqual([[2], [18], [2]]);
    vi.advanceTimersByTime(100);
    note({ dropped: 5 });
    expect(told()).toEqual([[2], [18], [2], [5]]);
  });

  it('adds up refused packets with the size and reason of the last', async () => {
    const note = await start();
    note({ refused: 1, refusedBytes: 500, refusal: 'longer than the MTU' });
    note({ refused: 2, refusedBytes: 600, refusal: 'longer than the MTU' });
    note({ refused: 1, refusedBytes: 3, refusal: 'without a header' });
    vi.advanceTimersByTime(100);
    expect(told()).toEqual([
      [1, 500, 'longer than the MTU'],
      [3, 3, 'without a header'],
    ]);
  });

  it('is told in full when it ends', async () => {
    const note = await start();
    note({ dropped: 1 });
    note({ dropped: 41 });
    end();
    expect(told()).toEqual([[1], [41]]);
    vi.advanceTimersByTime(1_000);
    expect(told()).toEqual([[1], [41]]);
  });
});

it('keeps its channel, withdrawn, from making room for another', async () => {
  const harness = Harness.up({ limits: { channelsPerDevice: 1 } });
  await acquire(harness);
  harness.link.withdraw('echo', 30);
  harness.link.announce('next', 31);
  expect(isStreaming(harness)).toBe(true);
  expect(harness.stats(devicePath, 'org.rpmsg.Device')['names_refused']).toBe(1n);
  harness.service.streamOver(idOf(harness), 0);
  harness.link.announce('next', 31);
  expect(harness.tree.objects.has(echoPath)).toBe(false);
});

describe('the next daemon', () => {
  async function acquired(given = {}): Promise<Harness> {
    const harness = begin();
    harness.keep = () => Promise.resolve(true);
    await acquire(harness, given);
    return harness;
  }

  it('goes on with a stream whose socket was kept, for the same holder', async () => {
    const harness = await acquired(options({ mode: ['s', 'read'], hold: ['u', 9] }));
    const fd = openSync('/dev/null', 'r');
    const restarted = await next(harness, {
      inherited: new Map([[`stream-${idOf(harness)}`, fd]]),
    });
    expect(isStreaming(restarted)).toBe(true);
    expect(restarted.link.streams.get(idOf(restarted))).toMatchObject({ hold: 9 });
    // The direction it has not stays everyone's.
    const sent = restarted.endpoint(echoPath, 'Send', [Buffer.from('x')]);
    expect(await errorName(sent)).toBe(rpmsgError('RemoteDown'));
    restarted.service.streamNote(idOf(restarted), { ...calm, dropped: 3 });
    expect(restarted.tree.signals.at(-1)).toMatchObject({
      member: 'Overrun',
      to: holder,
      args: [3],
    });
  });

  it('goes on with that of a channel’s shared endpoint in the next life of the remote, too', async () => {
    const harness = await acquired();
    const fd = openSync('/dev/null', 'r');
    const inherited = new Map([[`stream-${idOf(harness)}`, fd]]);
    const restarted = await next(harness, { inherited, resume: 'cold', generation: 2 });
    expect(isStreaming(restarted)).toBe(true);
  });

  it('has none whose socket was not kept, and its endpoint is free', async () => {
    const restarted = await next(await acquired());
    expect(isStreaming(restarted)).toBe(false);
    await acquire(restarted);
    // Nor does the one after it.
    expect(isStreaming(await next(restarted))).toBe(false);
  });

  it('closes and forgets a socket that belongs to no stream', async () => {
    const harness = begin();
    const fd = openSync('/dev/null', 'r');
    const restarted = await next(harness, { inherited: new Map([['stream-4711', fd]]) });
    expect(restarted.forgotten).toEqual(['stream-4711']);
    expect(() => fstatSync(fd)).toThrow('EBADF');
  });

  it('serves one that its client was given and the link had not got yet', async () => {
    const harness = begin();
    harness.keep = () => Promise.resolve(true);
    harness.leave = () => {};
    await acquire(harness);
    expect(harness.link.streams.size).toBe(0);
    const fd = openSync('/dev/null', 'r');
    const restarted = await next(harness, {
      inherited: new Map([[`stream-${idOf(harness)}`, fd]]),
    });
    expect([...restarted.link.streams.keys()]).toEqual([idOf(restarted)]);
  });
});
