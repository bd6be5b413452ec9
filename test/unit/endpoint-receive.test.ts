// SPDX-License-Identifier: Apache-2.0
// Receiving through org.rpmsg.Endpoint.Receive: order, numbers, drops, waiting, and how a wait ends.

import { describe, expect, it } from 'vitest';
import {
  devicePath,
  ErrorName,
  echoPath,
  errorName,
  Harness,
  rpmsgError,
  tick,
} from './support/objects-harness.ts';

type Answer = [[number, number, number, bigint, Buffer][], number];

function arrive(harness: Harness, ...texts: string[]): void {
  for (const text of texts) harness.link.receive(0, harness.localOf(echoPath), 30, text);
  harness.link.flush();
}

async function receive(harness: Harness, max = 10, timeoutMs = 0, sender = ':1.1') {
  const [messages, dropped] = (await harness.endpoint(echoPath, 'Receive', [max, timeoutMs], {
    sender,
  })) as Answer;
  return {
    texts: messages.map((message) => message[4].toString()),
    numbers: messages.map(([seq]) => seq),
    dropped,
    messages,
  };
}

describe('Receive', () => {
  it('returns what waits, with all five fields', async () => {
    const harness = Harness.up();
    arrive(harness, 'one');
    const { messages } = await receive(harness);
    expect(messages).toEqual([[0, 30, 1, 5n, Buffer.from('one')]]);
  });

  it('answers at once with nothing when nothing is there', async () => {
    expect(await receive(Harness.up())).toMatchObject({ texts: [], dropped: 0 });
  });

  it('returns no more than asked for and keeps the rest', async () => {
    const harness = Harness.up();
    arrive(harness, 'a', 'b', 'c');
    expect((await receive(harness, 2)).texts).toEqual(['a', 'b']);
    expect((await receive(harness, 2)).texts).toEqual(['c']);
  });

  it('leaves messages in the link until they are asked for, and then gives them back', async () => {
    const harness = Harness.up();
    arrive(harness, 'a', 'b');
    const local = harness.localOf(echoPath);
    expect(harness.link.endpointAt(0, local)?.handedOver).toBe(0);
    await receive(harness);
    expect(harness.link.endpointAt(0, local)?.queue).toHaveLength(0);
  });

  it('waits for the first message and returns all that came with it', async () => {
    const harness = Harness.up();
    const answer = receive(harness, 10, 20_000);
    await tick();
    arrive(harness, 'a', 'b');
    expect((await answer).texts).toEqual(['a', 'b']);
  });

  it('returns nothing when the time is over', async () => {
    expect((await receive(Harness.up(), 1, 1)).texts).toEqual([]);
  });

  it('drops the oldest when the queue is full and says how many', async () => {
    const harness = Harness.up({ limits: { rxQueue: 4 } });
    arrive(harness, ...'abcdefghij');
    expect(await receive(harness)).toMatchObject({ numbers: [6, 7, 8, 9], dropped: 6 });
    expect(harness.stats(echoPath)['rx_drops']).toBe(6n);
    arrive(harness, 'k');
    expect(await receive(harness)).toMatchObject({ texts: ['k'], dropped: 0 });
  });

  it('finds messages behind a gap that is wider than what was asked for', async () => {
    const harness = Harness.up({ limits: { rxQueue: 2 } });
    arrive(harness, ...'x'.repeat(500).split(''));
    expect(await receive(harness, 1)).toMatchObject({ numbers: [498], dropped: 498 });
    expect(await receive(harness, 1)).toMatchObject({ numbers: [499], dropped: 0 });
  });

  it('lets one call of a client wait, and several clients', async () => {
    const harness = Harness.up();
    const first = receive(harness, 1, 20_000);
    await tick();
    const again = harness.endpoint(echoPath, 'Receive', [1, 20_000]);
    expect(await errorName(again)).toBe(rpmsgError('Busy'));
    const second = receive(harness, 1, 20_000, ':1.2');
    await tick();
    arrive(harness, 'a', 'b');
    expect((await first).texts).toEqual(['a']);
    expect((await second).texts).toEqual(['b']);
  });

  it('loses nothing to a client that vanished while it waited', async () => {
    const harness = Harness.up();
    void harness.endpoint(echoPath, 'Receive', [1, 20_000]);
    await tick();
    harness.clients.vanish(':1.1');
    arrive(harness, 'a');
    expect((await receive(harness, 1, 0, ':1.2')).texts).toEqual(['a']);
  });

  it('takes nothing for a caller that wants no reply', async () => {
    const harness = Harness.up();
    arrive(harness, 'a');
    await harness.endpoint(echoPath, 'Receive', [1, 0], { noReply: true }).catch(() => {});
    expect((await receive(harness)).texts).toEqual(['a']);
  });

  it('ends with NoSuchAddress when the endpoint is closed meanwhile', async () => {
    const harness = Harness.up();
    const path = (await harness.call(echoPath, 'org.rpmsg.Channel', 'Open', [{}])) as string;
    const answer = errorName(harness.endpoint(path, 'Receive', [1, 20_000]));
    await tick();
    await harness.endpoint(path, 'Close');
    expect(await answer).toBe(rpmsgError('NoSuchAddress'));
  });

  it('ends with ShuttingDown when the daemon stops, and so does any later call', async () => {
    const harness = Harness.up();
    const answer = errorName(harness.endpoint(echoPath, 'Receive', [1, 20_000]));
    await tick();
    void harness.service.stop();
    expect(await answer).toBe(rpmsgError('ShuttingDown'));
    for (const [member, args] of [
      ['Receive', [1, 0]],
      ['Send', [Buffer.alloc(1)]],
    ] as const) {
      const later = harness.endpoint(echoPath, member, args);
      expect(await errorName(later)).toBe(rpmsgError('ShuttingDown'));
    }
  });

  it('is Busy while messages go to a subscriber, and ends so when one comes', async () => {
    const harness = Harness.up();
    const answer = errorName(harness.endpoint(echoPath, 'Receive', [1, 20_000]));
    await tick();
    await harness.endpoint(echoPath, 'Subscribe', [{}], { sender: ':1.2' });
    expect(await answer).toBe(rpmsgError('Busy'));
    expect(await errorName(harness.endpoint(echoPath, 'Receive', [1, 0]))).toBe(rpmsgError('Busy'));
  });

  it.each([
    [0, 0],
    [1, 20_001],
  ])('refuses max %i with timeout_ms %i', async (max, timeoutMs) => {
    const answer = Harness.up().endpoint(echoPath, 'Receive', [max, timeoutMs]);
    expect(await errorName(answer)).toBe(ErrorName.invalidArgs);
  });

  it('limits the calls of a client that wait, all endpoints together', async () => {
    const harness = Harness.up({ limits: { receivesPerSender: 1 } });
    harness.link.announce('other', 31);
    const other = `${devicePath}/channel_other`;
    const first = receive(harness, 1, 20_000);
    await tick();
    expect(await errorName(harness.endpoint(other, 'Receive', [1, 0]))).toBe(
      rpmsgError('QuotaExceeded'),
    );
    arrive(harness, 'a');
    await first;
    expect(await harness.endpoint(other, 'Receive', [1, 0])).toEqual([[], 0]);
  });

  it('counts what it had to drop itself after it was handed over', async () => {
    const harness = Harness.up({ limits: { rxQueue: 4 } });
    arrive(harness, 'a');
    await receive(harness);
    // Asked for four, got one: three more are handed over although nobody waits any more.
    const waiting = harness.endpoint(echoPath, 'Receive', [4, 1]);
    await waiting;
    arrive(harness, ...'bcdefghij');
    const { numbers, dropped } = await receive(harness);
    expect(numbers.at(-1)).toBe(9);
    expect(numbers.length + dropped).toBe(9);
    expect(Number(harness.stats(echoPath)['rx_drops'])).toBe(dropped);
  });
});
