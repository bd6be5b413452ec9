// SPDX-License-Identifier: Apache-2.0
// Which channels have terminals by themselves, what their links are called, and what lies in the
// directory of links.

import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { ttyDefaults } from '../../src/config/index.ts';
import { messageBytesOf } from '../../src/config/tty-names.ts';
import type { Endpoint } from '../../src/remote/endpoint.ts';
import { channelName } from '../../src/rpmsg/channel-name.ts';
import { Channel } from '../../src/rpmsg/channels.ts';
import { linkName, TtyLinks } from '../../src/tty/tty-links.ts';
import { devicePath, Harness } from './support/objects-harness.ts';

test.each([
  ['rpmsg-tty', { tty: true, hello: false }, 496],
  ['rpmsg-virtual-tty-channel', { tty: true, hello: true }, 256],
  ['rpmsg-virtual-tty-channel-1', { tty: true, hello: true }, 256],
  ['rpmsg-openamp-demo-channel', { tty: false, hello: false }, 256],
  ['echo', { tty: false, hello: false }, 496],
  ['toString', { tty: false, hello: false }, 496],
])('a channel %s is by default %o, with messages of at most %i bytes', (name, defaults, bytes) => {
  expect(ttyDefaults(name)).toEqual(defaults);
  expect(messageBytesOf(name, 496)).toBe(bytes);
  expect(messageBytesOf(name, 48)).toBe(48);
});

describe('the name of a link', () => {
  const endpoint = { device: { remote: { name: 'cm4-0' }, index: 1 } } as Endpoint;
  const named = (name: string, ordinal = 1) =>
    linkName(endpoint, new Channel(channelName(Buffer.from(name)), ordinal, 30));

  it('has the channel’s name as object paths have it', () => {
    expect(named('rpmsg-tty')).toBe('cm4-0-vdev1-rpmsg_2dtty');
    expect(named('rpmsg-tty', 2)).toBe('cm4-0-vdev1-rpmsg_2dtty__2');
    expect(named('../../etc')).toBe('cm4-0-vdev1-_2e_2e_2f_2e_2e_2fetc');
    expect(named('')).toBe('cm4-0-vdev1-_');
  });
});

describe('the directory of links', () => {
  let runtime: string;
  let directory: string;
  beforeEach(() => {
    runtime = mkdtempSync(join(tmpdir(), 'rpmsgd-tty-'));
    directory = join(runtime, 'tty');
  });
  afterEach(() => rmSync(runtime, { recursive: true }));

  it('is made with the first link, and everyone may look into it', () => {
    const links = new TtyLinks(() => directory);
    links.keepOnly(new Set());
    expect(existsSync(directory)).toBe(false);
    links.set('a', '/dev/pts/7');
    expect(statSync(directory).mode & 0o777).toBe(0o755);
    expect(readlinkSync(links.path('a'))).toBe('/dev/pts/7');
  });

  it('turns a link elsewhere, and keeps only those that are named', () => {
    const links = new TtyLinks(() => directory);
    for (const name of ['a', 'b', 'c']) links.set(name, '/dev/pts/7');
    links.set('b', '/dev/pts/8');
    links.remove('a');
    links.keepOnly(new Set(['b']));
    expect(readdirSync(directory)).toEqual(['b']);
    expect(readlinkSync(join(directory, 'b'))).toBe('/dev/pts/8');
  });
});

describe('a channel with a terminal', () => {
  const path = `${devicePath}/channel_rpmsg_2dvirtual_2dtty_2dchannel`;
  const tty = (harness: Harness) => harness.get(path, 'org.rpmsg.Channel', 'Tty');
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'rpmsgd-tty-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  function announced(harness: Harness): Harness {
    harness.ttyDirectory = directory;
    harness.link.announce('rpmsg-virtual-tty-channel', 40);
    return harness;
  }

  it('has it when it is announced, and is greeted so that its firmware knows where to', () => {
    const harness = announced(Harness.up());
    const link = join(directory, 'cm40-vdev0-rpmsg_2dvirtual_2dtty_2dchannel');
    expect(tty(harness)).toBe(link);
    expect(readlinkSync(link)).toMatch(/^\/dev\/pts\/\d+$/);
    expect(harness.link.sent).toMatchObject([{ destination: 40, data: Buffer.alloc(0) }]);
  });

  it('has none beyond the limit, and one that the configuration does not want', () => {
    const limited = announced(Harness.up({ limits: { ttysPerDevice: 0 } }));
    expect(tty(limited)).toBe('');
    expect(limited.warnings).toEqual(['the channel gets no terminal']);
    const rule = { name: 'rpmsg-virtual-tty-channel', hello: false, tty: false, group: undefined };
    const refused = announced(Harness.up({ channels: [rule] }));
    expect(tty(refused)).toBe('');
    expect(refused.warnings).toEqual([]);
    expect(readdirSync(directory)).toEqual([]);
  });
});
