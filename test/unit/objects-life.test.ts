// SPDX-License-Identifier: Apache-2.0
// What the bus is told as remotes, vdevs and channels come and go, and what reloads change.

import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/problems.ts';
import {
  devicePath,
  ErrorName,
  echoPath,
  errorName,
  Harness,
  rpmsgError,
  testConfig,
  tick,
} from './support/objects-harness.ts';

const any = 0xffffffff;
const remotePath = '/org/rpmsg/cm40';
const endpointIface = 'org.rpmsg.Endpoint';

function open(harness: Harness): Promise<unknown> {
  return harness.call(echoPath, 'org.rpmsg.Channel', 'Open', [{}]);
}

describe('the tree', () => {
  it('is complete before anything was heard from a remote', () => {
    const harness = new Harness({ vdevs: 2, endpoints: [{ vdev: 1, name: 'g', src: 3, dst: 4 }] });
    const paths = [...harness.tree.objects.keys()].map((path) => path.replace(/\d+$/, 'N'));
    expect(paths).toEqual([
      '/org/rpmsg',
      '/org/rpmsg/cmN',
      '/org/rpmsg/cm40/vdevN',
      '/org/rpmsg/cm40/vdevN',
      '/org/rpmsg/cm40/vdev1/endpoint_N',
    ]);
    expect(harness.get(remotePath, 'org.rpmsg.Remote', 'State')).toBe('offline');
    expect(harness.get(remotePath, 'org.rpmsg.Remote', 'Partition')).toBe(-1);
  });

  it('includes what was announced before it was published', () => {
    const harness = Harness.up();
    expect(harness.tree.objects.has(echoPath)).toBe(true);
    expect(harness.get(echoPath, 'org.rpmsg.Channel', 'RawName')).toEqual(Buffer.from('echo'));
  });
});

describe('announcements', () => {
  it('publish the channel, then tell of it', () => {
    const harness = Harness.up();
    harness.link.announce('a-b', 31);
    expect(harness.tree.story).toEqual([
      `+ ${devicePath}/channel_a_2db`,
      `! ${devicePath} ChannelAnnounced`,
    ]);
    const path = `${devicePath}/channel_a_2db`;
    expect(harness.tree.signals[0]?.args).toEqual(['a-b', 31, path]);
  });

  it('withdraw a channel but keep its object, with whoever listens there', async () => {
    const harness = Harness.up();
    harness.link.withdraw('echo', 30);
    expect(harness.tree.story).toEqual([
      `= ${echoPath} RemoteAddress ${any}`,
      `= ${echoPath} RemoteAddress ${any}`,
      `= ${echoPath} Connected false`,
      `! ${devicePath} ChannelWithdrawn`,
    ]);
    expect(await errorName(open(harness))).toBe(rpmsgError('NotConnected'));
    harness.link.announce('echo', 33);
    expect(harness.get(echoPath, endpointIface, 'RemoteAddress')).toBe(33);
    expect(harness.get(echoPath, endpointIface, 'Connected')).toBe(true);
  });

  it('of a live channel are counted as a silent restart, and said in the log', () => {
    const harness = Harness.up();
    harness.link.announce('echo', 30);
    expect(harness.stats(devicePath, 'org.rpmsg.Device')['names_duplicate']).toBe(1n);
    expect(harness.warnings.join()).toMatch(/restarted without telling/);
    expect(harness.tree.story).toMatchObject([expect.stringMatching(/ LastError /)]);
    expect(harness.get(remotePath, 'org.rpmsg.Remote', 'LastError')).toMatch(
      /^vdev 0: silent-restart: .*"echo".*Reinitialize/,
    );
    harness.link.announce('echo', 30);
    expect(harness.tree.story).toHaveLength(1);
  });

  it('that make no sense are counted and do no harm', () => {
    const harness = Harness.up();
    harness.link.receive(0, 53, 1, Buffer.alloc(41));
    harness.link.withdraw('ghost', 99);
    const stats = harness.stats(devicePath, 'org.rpmsg.Device');
    expect([stats['names_malformed'], stats['names_unknown']]).toEqual([1n, 1n]);
    harness.link.announce('next', 31);
    expect(harness.tree.objects.has(`${devicePath}/channel_next`)).toBe(true);
  });

  it('beyond the limit are refused, and a withdrawn channel nobody uses makes room', async () => {
    const harness = Harness.up({ limits: { channelsPerDevice: 2 } });
    harness.link.announce('b', 31);
    harness.link.announce('c', 32);
    expect(harness.tree.objects.has(`${devicePath}/channel_c`)).toBe(false);
    expect(harness.stats(devicePath, 'org.rpmsg.Device')['names_refused']).toBe(1n);
    await open(harness);
    harness.link.withdraw('echo', 30);
    harness.link.withdraw('b', 31);
    harness.link.announce('c', 32);
    expect(harness.tree.objects.has(`${devicePath}/channel_b`)).toBe(false);
    expect(harness.tree.objects.has(echoPath)).toBe(true);
    expect(harness.tree.objects.has(`${devicePath}/channel_c`)).toBe(true);
  });

  it('leave nothing behind in the link', async () => {
    const harness = Harness.up();
    for (let i = 0; i < 1000; i++) {
      harness.link.announce(`name${i}`, 100);
      harness.link.withdraw(`name${i}`, 100);
    }
    await tick();
    expect(harness.link.endpointAt(0, 53)?.queue).toHaveLength(0);
    expect(harness.link.endpoints.size).toBeLessThanOrEqual(513);
  });

  it('are greeted by an empty message where the configuration says so, once a life', () => {
    const harness = Harness.up({
      channels: [{ name: 'tty', hello: true, tty: false, group: undefined }],
    });
    harness.link.announce('tty', 40);
    harness.link.announce('tty', 40);
    expect(harness.link.sent).toMatchObject([{ destination: 40, data: Buffer.alloc(0) }]);
    harness.link.setRemote('down', 2);
    harness.link.setDevice('offered');
    harness.link.announce('tty', 41);
    expect(harness.link.sent.map(({ destination }) => destination)).toEqual([40, 41]);
  });
});

describe('a fault', () => {
  it('of one vdev leaves the other alone', () => {
    const harness = Harness.up({ vdevs: 2 });
    harness.link.setDevice('up', 1);
    harness.link.announce('echo', 30, 0, 1);
    harness.link.setDevice('faulted', 0);
    const connected = (vdev: number) =>
      harness.get(`${remotePath}/vdev${vdev}/channel_echo`, endpointIface, 'Connected');
    expect([connected(0), connected(1)]).toEqual([false, true]);
  });

  it('of the remote is a state, a reason and a signal', () => {
    const harness = Harness.up();
    harness.link.setRemote('faulted');
    expect(harness.get(remotePath, 'org.rpmsg.Remote', 'LastError')).toBe('test');
    expect(harness.tree.signals).toMatchObject([{ member: 'Faulted', args: [1, 'test'] }]);
  });

  it('of the board reaches whoever ends the daemon', () => {
    const harness = Harness.up();
    harness.service.boardGone(0);
    expect(harness.gone).toEqual(['cm40']);
    expect(harness.get(remotePath, 'org.rpmsg.Remote', 'State')).toBe('offline');
  });
});

describe('a reload', () => {
  const gateway = { vdev: 0, name: 'gw', src: 30, dst: 31 };
  const root = { sender: ':1.0' };

  async function reload(harness: Harness, given: Parameters<typeof testConfig>[0]): Promise<void> {
    const done = harness.service.applyReload(testConfig(given));
    harness.link.flush();
    await done;
  }

  it('puts limits, rules and endpoints in force', async () => {
    const harness = Harness.up({ endpoints: [gateway] });
    const rule = { name: 'echo', hello: false, tty: false, group: 'dialout' };
    const endpoints = [{ ...gateway, dst: 32 }];
    await reload(harness, { limits: { rxQueue: 9 }, channels: [rule], endpoints });
    const limits = harness.get('/org/rpmsg', 'org.rpmsg.Manager', 'Limits');
    expect(limits).toMatchObject({ rx_queue: 9 });
    const denied = harness.endpoint(echoPath, 'Send', [Buffer.alloc(1)]);
    expect(await errorName(denied)).toBe(ErrorName.accessDenied);
    const path = [...harness.tree.objects.keys()].at(-1) ?? '';
    expect(harness.get(path, endpointIface, 'RemoteAddress')).toBe(32);
  });

  it('leaves alone what did not change', async () => {
    const harness = Harness.up({ endpoints: [gateway] });
    await reload(harness, { endpoints: [gateway] });
    expect(harness.tree.story.filter((line) => /^[+-]/.test(line))).toEqual([]);
  });

  it('that finds a wrong configuration is InvalidArgs and names the key', async () => {
    const harness = Harness.up();
    harness.clients.credentialsOf.set(':1.0', { uid: 0, gids: [] });
    harness.reload = () => {
      throw new ConfigError([{ file: 'f.toml', key: 'limits.calls', rule: 'is wrong' }]);
    };
    const answer = harness.call('/org/rpmsg', 'org.rpmsg.Manager', 'Reload', [], root);
    await expect(answer).rejects.toThrow(/limits\.calls/);
    expect(await errorName(answer)).toBe(ErrorName.invalidArgs);
  });
});
