// SPDX-License-Identifier: Apache-2.0
// AcquireStream: what it takes, what it refuses and how it says so.

import { closeSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ClientStream } from '../support/client-stream.ts';
import {
  channelPath,
  devicePath,
  errorOf,
  type Options,
  type RpmsgClient,
  type RpmsgEndpoint,
  until,
} from '../support/rpmsg-client.ts';
import type { SceneClient } from '../support/scene-client.ts';
import { startStreamScene, streamRows } from '../support/stream-scene.ts';

const slots = 512;
const limits = { streams_per_uid: 2, stream_hold: 200 };

describe.each(streamRows)('on $bus, $soc', (row) => {
  const echo = channelPath(row.core, 0, 'echo');
  let scene: SceneClient;
  let client: RpmsgClient;
  let endpoint: RpmsgEndpoint;
  const streams: ClientStream[] = [];

  beforeAll(async () => {
    scene = await startStreamScene(row, { limits }, { remote: { slots } });
    client = await scene.streamClient();
    endpoint = await client.open(echo);
  });
  afterEach(async () => {
    const all = streams.splice(0);
    for (const stream of all) stream.close();
    for (const { endpoint: of } of all) await until('its end', () => isFree(of));
  });
  afterAll(() => scene?.stop());

  /** Nobody holds a stream of it. */
  const isFree = async (of: RpmsgEndpoint) => (await of.get('Streaming')) === false;

  async function acquire(of = endpoint, options: Options = {}): Promise<ClientStream> {
    const stream = await ClientStream.acquire(of, options);
    streams.push(stream);
    return stream;
  }

  const invalid = 'org.freedesktop.DBus.Error.InvalidArgs: ';
  test.each<[Options, string]>([
    [
      { made_up: ['b', true] },
      "option 'made_up' is unknown; AcquireStream knows mode, hold, framing, zero_length, on_reset",
    ],
    [{ hold: ['s', '8'] }, "option 'hold' is of type 'u', got 's'"],
    [{ hold: ['i', 8] }, "option 'hold' is of type 'u', got 'i'"],
    [{ mode: ['u', 1] }, "option 'mode' is of type 's', got 'u'"],
    [{ zero_length: ['u', 1] }, "option 'zero_length' is of type 'b', got 'u'"],
    [{ mode: ['s', 'rw'] }, "option 'mode' is 'rw'; it is one of 'both', 'read', 'write'"],
    [{ framing: ['s', ''] }, "option 'framing' is ''; it is one of 'payload', 'header'"],
    [{ on_reset: ['s', 'Keep'] }, "option 'on_reset' is 'Keep'; it is one of 'drop', 'keep'"],
    [
      { hold: ['u', 0] },
      `option 'hold' is 0; it is 1 to ${slots / 2} (limit half the slots of the vdev)`,
    ],
    [{ hold: ['u', slots / 2 + 1] }, `option 'hold' is ${slots / 2 + 1}; it is 1 to ${slots / 2}`],
    [{ hold: ['u', 0xffffffff] }, "option 'hold' is 4294967295"],
  ])('%j is refused by name and value', async (options, message) => {
    expect(await errorOf(endpoint.acquireStream(options))).toContain(`${invalid}${message}`);
    expect(await endpoint.get('Streaming')).toBe(false);
  });

  test.each<Options>([
    {},
    { hold: ['u', 1] },
    { hold: ['u', slots / 2] },
    { mode: ['s', 'both'], framing: ['s', 'payload'], on_reset: ['s', 'drop'] },
    { on_reset: ['s', 'keep'], zero_length: ['b', false] },
  ])('%j is taken, and packets of mtu bytes go both ways', async (options) => {
    const stream = await acquire(endpoint, options);
    expect(stream.mtu).toBe(await endpoint.get('Mtu'));
    await stream.echo('x'.repeat(stream.mtu));
  });

  test('a second stream is Busy, until the first one is over', async () => {
    const first = await acquire();
    expect(await errorOf(endpoint.acquireStream({ mode: ['s', 'read'] }))).toBe(
      'org.rpmsg.Error.Busy: another stream is held on this endpoint; one at a time',
    );
    await first.echo('unharmed');
    first.close();
    await until('its end', () => isFree(endpoint));
    await (await acquire()).echo('the next one');
  });

  test('two that ask at once do not both get it', async () => {
    const second = client.endpoint(endpoint.path);
    const asked = await Promise.allSettled([endpoint.acquireStream(), second.acquireStream()]);
    const got = asked.filter((one) => one.status === 'fulfilled');
    expect(got).toHaveLength(1);
    for (const { value } of got) closeSync(value.fd);
    await until('its end', () => isFree(endpoint));
  });

  test('whoever does not own the endpoint is told so', async () => {
    const stranger = await scene.streamClient();
    const foreign = stranger.endpoint(endpoint.path);
    expect(await errorOf(foreign.acquireStream())).toMatch(/^org\.rpmsg\.Error\.NotOwner: /);
  });

  test('a user has so many as the limit says, and one more when one is over', async () => {
    const more = await Promise.all([client.open(echo), client.open(echo)]);
    const [first] = await Promise.all([acquire(endpoint), acquire(more[0])]);
    const third = more[1] as RpmsgEndpoint;
    const stranger = await scene.streamClient();
    for (const refused of [third, stranger.endpoint(echo)]) {
      expect(await errorOf(refused.acquireStream())).toMatch(
        /^org\.rpmsg\.Error\.QuotaExceeded: .*streams_per_uid/,
      );
      expect(await refused.get('Streaming')).toBe(false);
    }
    first.close();
    await until('its end', () => isFree(endpoint));
    await (await acquire(third)).echo('in its place');
  });

  test('who wants no answer gets no stream, and nothing is held', async () => {
    const shared = client.endpoint(echo);
    const args = ['org.rpmsg', shared.path, 'org.rpmsg.Endpoint', 'AcquireStream', 'a{sv}', '0'];
    const answer = await scene.daemon.busctl('--expect-reply=false', 'call', ...args);
    expect(answer).toMatchObject({ status: 0 });
    // It was asked before, and on its way are no more than the bus and the daemon, both in order.
    await (await acquire(shared)).echo('free');
  });

  test('an endpoint that was closed has none', async () => {
    const closed = await client.create(devicePath(row.core, 0), 77, 3);
    await closed.close();
    expect(await errorOf(closed.acquireStream())).toMatch(/UnknownObject|NoSuchAddress/);
  });
});
