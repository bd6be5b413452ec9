// SPDX-License-Identifier: Apache-2.0
// Manager.Capture without a bus: what it asks the link for, whom and what it refuses; and how
// rpmsgctl reads the file.

import { closeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BlockReader } from '../../src/cli/capture/blocks.ts';
import { CliStatus } from '../../src/cli/errors.ts';
import { Variant } from '../../src/dbus/index.ts';
import { runRpmsgctl } from '../support/rpmsgctl-run.ts';
import { errorName, Harness } from './support/objects-harness.ts';

const root = ':1.0';

function withRoot(setup?: Parameters<typeof Harness.up>[0]): Harness {
  const harness = Harness.up(setup);
  harness.clients.credentialsOf.set(root, { uid: 0, gids: [0] });
  return harness;
}

async function capture(harness: Harness, options: Record<string, Variant> = {}, sender = root) {
  const fd = await harness.call('/org/rpmsg', 'org.rpmsg.Manager', 'Capture', [options], {
    sender,
  });
  closeSync(fd as number);
}

describe('Manager.Capture', () => {
  it('captures each remote and each of its vdevs, and says how they are', async () => {
    const harness = withRoot();
    await capture(harness);
    const [setup] = harness.link.captures;
    expect(setup?.snapBytes).toBe(3584);
    expect(setup?.places.map(({ name, vdev }) => [name, vdev])).toEqual([
      ['cm40', 8],
      ['cm40/vdev0', 0],
    ]);
    const openings = setup?.places.map(({ opening }) => opening) ?? [];
    expect(openings[0]).toBe('capture begins: attached, generation 1');
    expect(openings[1]).toMatch(/^capture begins: \w+\n(.*\n)*channel "echo" at 0x[0-9a-f]+/);
  });

  it('captures the one vdev that is asked for, and so much of each message', async () => {
    const harness = withRoot();
    await capture(harness, {
      remote: new Variant('s', 'cm40'),
      vdev: new Variant('u', 0),
      snaplen: new Variant('u', 16),
    });
    const [setup] = harness.link.captures;
    expect(setup?.places.map(({ name }) => name)).toEqual(['cm40', 'cm40/vdev0']);
    expect(setup?.snapBytes).toBe(16);
  });

  it.each([
    [{ remote: new Variant('s', 'm7') }, "option 'remote' is 'm7'; there is cm40"],
    [{ vdev: new Variant('u', 1) }, "option 'vdev' is 1; it is 0 to 0"],
    [{ vdev: new Variant('u', 8) }, "option 'vdev' is 8; it is 0 to 0"],
    [{ snaplen: new Variant('u', 15) }, "option 'snaplen' is 15; it is 16 to 3584 bytes"],
    [{ snaplen: new Variant('u', 3585) }, "option 'snaplen' is 3585; it is 16 to 3584 bytes"],
    [
      { snap: new Variant('u', 1) },
      "option 'snap' is unknown; Capture knows remote, vdev, snaplen",
    ],
  ])('refuses %j by name and value', async (options, message) => {
    const harness = withRoot();
    await expect(capture(harness, options as Record<string, Variant>)).rejects.toThrow(message);
    expect(harness.link.captures).toEqual([]);
  });

  it('runs as many as the limit says, until one is over', async () => {
    const harness = withRoot({ limits: { captures: 1 } });
    await capture(harness);
    expect(await errorName(capture(harness))).toBe('org.rpmsg.Error.QuotaExceeded');
    harness.service.captureOver(1);
    await capture(harness);
    expect(harness.link.captures).toHaveLength(2);
  });
});

describe('the blocks of a file', () => {
  const u32 = (...values: number[]) => Buffer.from(Uint32Array.from(values).buffer);
  const block = (type: number, ...parts: Buffer[]) => {
    const body = Buffer.concat(parts);
    return Buffer.concat([u32(type, body.length + 12), body, u32(body.length + 12)]);
  };
  const packet = (bytes: number, dropped: number) =>
    block(6, u32(1, 0, 0, bytes, bytes), Buffer.alloc(bytes), u32(0x80004, dropped, 0, 0));
  const statistics = (dropped: number) => block(5, u32(1, 0, 0, 0x80005, dropped, 0, 0));

  it('are cut apart wherever the pieces end, and counted', () => {
    const blocks = [packet(16, 0), packet(0, 3), statistics(3), packet(20, 2), statistics(7)];
    const file = Buffer.concat(blocks);
    for (const size of [1, 7, 64, file.length]) {
      const reader = new BlockReader();
      const found: Buffer[] = [];
      for (let at = 0; at < file.length; at += size) {
        for (const { bytes } of reader.push(file.subarray(at, at + size))) found.push(bytes);
      }
      expect(found).toEqual(blocks);
      expect({ messages: reader.messages, dropped: reader.dropped }).toEqual({
        messages: 2,
        dropped: 7,
      });
    }
  });

  it.each([0, 11, 13, 2 ** 31])('of %i bytes are none', (length) => {
    expect(() => [...new BlockReader().push(u32(6, length))]).toThrow(`${length} bytes`);
  });
});

describe('rpmsgctl capture', () => {
  it.each([
    [['capture'], 'one FILE'],
    [['capture', 'a', 'b'], 'one FILE'],
    [['capture', '-', '--json'], '--json'],
    [['capture', 'a', '--count', '0'], '--count'],
    [['capture', 'a', '--vdev', '8'], '--vdev'],
    [['capture', 'a', '--snaplen', '9999'], '--snaplen'],
    [['capture', 'a', '--duration', '1s'], '--duration'],
  ])('%j is wrong usage', async (args, named) => {
    const { status, err } = await runRpmsgctl(...args);
    expect(status).toBe(CliStatus.usage);
    expect(err).toContain(named);
  });
});
