// SPDX-License-Identifier: Apache-2.0
// An orderly stop: what has begun comes to its end or is refused by name, and nobody is told that a
// message was not sent which is in the ring.

import { expect, it } from 'vitest';
import {
  echoPath,
  errorName,
  Harness,
  options,
  rpmsgError,
  tick,
} from './support/objects-harness.ts';

const send = (harness: Harness, text: string) =>
  harness.endpoint(echoPath, 'Send', [Buffer.from(text)]);

/** The link answers while the daemon waits for it. */
async function settle(harness: Harness, stopped: Promise<void>): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    harness.link.flush();
    await tick();
  }
  await stopped;
}

it('refuses what waits for a buffer, after the link has let go of it', async () => {
  const harness = Harness.up();
  harness.link.freeBuffers = 1;
  await send(harness, 'first');
  const waiting = errorName(send(harness, 'second'));
  await tick();
  const stopped = harness.service.stop();
  expect(harness.link.waiting).toEqual([]);
  await settle(harness, stopped);
  expect(await waiting).toBe(rpmsgError('ShuttingDown'));
  expect(harness.link.sent.map(({ data }) => data.toString())).toEqual(['first']);
});

it('answers a send that entered the ring just before', async () => {
  const harness = Harness.up();
  harness.link.freeBuffers = 0;
  const waiting = send(harness, 'last');
  await tick();
  // The link has sent it, and the report is on its way when the stop begins.
  const flush = harness.link.flush.bind(harness.link);
  harness.link.flush = () => {};
  harness.link.consume(1);
  const stopped = harness.service.stop();
  harness.link.flush = flush;
  await settle(harness, stopped);
  expect(await waiting).toBeUndefined();
});

it('waits until the bus has what subscribers were sent, and no longer than it is told to', async () => {
  const harness = Harness.up();
  await harness.endpoint(echoPath, 'Subscribe', [options({ ack: ['s', 'manual'] })]);
  let hasStopped = false;
  let drain: (isDrained: boolean) => void = () => {};
  const drained = new Promise<boolean>((resolve) => {
    drain = resolve;
  });
  const stopped = harness.service
    .stop(() => drained)
    .then(() => {
      hasStopped = true;
    });
  for (let turn = 0; turn < 3; turn++) {
    harness.link.flush();
    await tick();
  }
  expect(hasStopped).toBe(false);
  drain(false);
  await settle(harness, stopped);
  expect(hasStopped).toBe(true);
});

it('sends subscribers nothing more, and keeps it with the link', async () => {
  const harness = Harness.up();
  await harness.endpoint(echoPath, 'Subscribe', [{}]);
  const stopped = harness.service.stop();
  const local = harness.localOf(echoPath);
  harness.link.receive(0, local, 30, 'late');
  await settle(harness, stopped);
  expect(harness.tree.signals.filter(({ member }) => member === 'MessageReceived')).toEqual([]);
  expect(harness.link.endpointAt(0, local)?.queue).toHaveLength(1);
});
