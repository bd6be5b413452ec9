// SPDX-License-Identifier: Apache-2.0
// Subscriptions over a restart: what is sent again, what is not, and to whom.

import { describe, expect, it } from 'vitest';
import {
  ErrorName,
  echoPath,
  errorName,
  Harness,
  options,
  rpmsgError,
  tick,
} from './support/objects-harness.ts';
import {
  arrive,
  begin,
  manual,
  next,
  openStore,
  receive,
  sentTo,
  stop,
} from './support/restarts.ts';

describe('subscriptions', () => {
  it('go on, and send again what was not acknowledged', async () => {
    const harness = begin();
    const local = harness.localOf(echoPath);
    await harness.endpoint(echoPath, 'Subscribe', [manual(4)]);
    arrive(harness, local, 6);
    await harness.endpoint(echoPath, 'Ack', [1n]);
    const restarted = await next(harness);
    expect(sentTo(restarted, ':1.1')).toEqual([2, 3, 4, 5]);
    arrive(restarted, local, 1);
    expect(sentTo(restarted, ':1.1')).toEqual([2, 3, 4, 5]);
    await restarted.endpoint(echoPath, 'Ack', [5n]);
    expect(sentTo(restarted, ':1.1')).toEqual([2, 3, 4, 5, 6]);
    expect(await errorName(restarted.endpoint(echoPath, 'Subscribe', [{}]))).toBe(
      rpmsgError('Busy'),
    );
  });

  it('take nothing for lost that the client has acknowledged', async () => {
    const harness = begin();
    await harness.endpoint(echoPath, 'Subscribe', [options({ window: ['u', 8] })]);
    arrive(harness, harness.localOf(echoPath), 6);
    await tick(); // answers the ping after the fourth
    const restarted = await next(harness);
    expect(sentTo(restarted, ':1.1')).toEqual([4, 5]);
    expect(restarted.tree.signals.map(({ member }) => member)).not.toContain('Overrun');
  });

  it('each send what their own client has not acknowledged', async () => {
    const harness = begin();
    for (const sender of [':1.1', ':1.2']) {
      await harness.endpoint(echoPath, 'Subscribe', [manual(8)], { sender });
    }
    arrive(harness, harness.localOf(echoPath), 5);
    await harness.endpoint(echoPath, 'Ack', [3n], { sender: ':1.2' });
    const restarted = await next(harness);
    expect(sentTo(restarted, ':1.1')).toEqual([0, 1, 2, 3, 4]);
    expect(sentTo(restarted, ':1.2')).toEqual([4]);
  });

  it('send nothing again after an orderly stop, and keep their credit', async () => {
    const harness = begin();
    const local = harness.localOf(echoPath);
    await harness.endpoint(echoPath, 'Subscribe', [manual(4)]);
    arrive(harness, local, 3);
    await stop(harness);
    const restarted = await next(harness);
    expect(sentTo(restarted, ':1.1')).toEqual([]);
    arrive(restarted, local, 3);
    expect(sentTo(restarted, ':1.1')).toEqual([3]);
    await restarted.endpoint(echoPath, 'Ack', [0n]);
    expect(sentTo(restarted, ':1.1')).toEqual([3, 4]);
    // Killed now, nothing is known but what is acknowledged.
    expect(sentTo(await next(restarted), ':1.1')).toEqual([1, 2, 3, 4]);
  });

  it('send nothing again though a daemon died before it spoke to anybody', async () => {
    const harness = begin();
    await harness.endpoint(echoPath, 'Subscribe', [manual(4)]);
    arrive(harness, harness.localOf(echoPath), 3);
    await stop(harness);
    const mute = new Harness({}, { link: harness.link.restart(), store: openStore(), bus: 'a' });
    expect(sentTo(await next(mute), ':1.1')).toEqual([]);
  });

  it('of clients that left are over, and their messages are for whoever asks', async () => {
    const harness = begin();
    await harness.endpoint(echoPath, 'Subscribe', [manual(4)]);
    arrive(harness, harness.localOf(echoPath), 2);
    const restarted = await next(harness, { left: [':1.1'] });
    expect(sentTo(restarted, ':1.1')).toEqual([]);
    expect(await receive(restarted, echoPath)).toEqual([0, 1]);
  });

  it('that were given up stay so', async () => {
    const harness = begin();
    await harness.endpoint(echoPath, 'Subscribe', [manual(4)]);
    await harness.endpoint(echoPath, 'Unsubscribe');
    const restarted = await next(harness);
    expect(await errorName(restarted.endpoint(echoPath, 'Unsubscribe'))).toBe(
      ErrorName.invalidArgs,
    );
  });

  it('take an acknowledgement of what the earlier daemon sent', async () => {
    const harness = begin();
    await harness.endpoint(echoPath, 'Subscribe', [manual(4)]);
    arrive(harness, harness.localOf(echoPath), 4);
    const link = harness.link.restart();
    const restarted = new Harness({}, { link, store: openStore(), bus: 'a' });
    await restarted.service.meetClients('a');
    restarted.service.publish();
    await restarted.endpoint(echoPath, 'Ack', [2n]);
    restarted.service.greetClients();
    link.flush();
    expect(sentTo(restarted, ':1.1')).toEqual([3]);
  });
});
