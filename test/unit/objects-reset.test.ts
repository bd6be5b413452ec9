// SPDX-License-Identifier: Apache-2.0
// What the bus is told over a reset of a remote, in which order, and what endpoints are afterwards.

import { describe, expect, it } from 'vitest';
import {
  devicePath,
  echoPath,
  errorName,
  Harness,
  options,
  rpmsgError,
  tick,
} from './support/objects-harness.ts';

const any = 0xffffffff;
const remotePath = '/org/rpmsg/cm40';
const remoteIface = 'org.rpmsg.Remote';
const endpointIface = 'org.rpmsg.Endpoint';

function open(harness: Harness): Promise<unknown> {
  return harness.call(echoPath, 'org.rpmsg.Channel', 'Open', [{}]);
}

/** "--" is where earlier changes go out for sure; LastReset's time is nobody's to foresee. */
function told(harness: Harness): string[] {
  return harness.tree.story.map((line) => line.replace(/LastReset \[\d+,/, 'LastReset [TIME,'));
}

describe('the order of a reset', () => {
  it('that is announced is the one of the XML', async () => {
    const harness = Harness.up();
    const path = (await open(harness)) as string;
    harness.tree.story.length = 0;
    harness.link.setRemote('quiescing');
    harness.link.reset('rebooted');
    harness.link.setDevice('offered');
    harness.link.setRemote('attached');
    harness.link.announce('echo', 50);
    expect(told(harness)).toEqual([
      '--',
      `= ${remotePath} State "quiescing"`,
      `! ${remotePath} ResetNotified`,
      `= ${echoPath} Connected false`,
      `= ${path} Connected false`,
      '--',
      `= ${devicePath} State "down"`,
      `= ${echoPath} RemoteAddress ${any}`,
      `= ${echoPath} RemoteAddress ${any}`,
      `= ${path} RemoteAddress ${any}`,
      `! ${devicePath} ChannelWithdrawn`,
      `= ${remotePath} ResetCount 1`,
      `= ${remotePath} LastReset [TIME,"rebooted"]`,
      `= ${remotePath} Generation 2`,
      `= ${remotePath} State "down"`,
      '--',
      `= ${remotePath} State "waiting"`,
      `= ${devicePath} State "offered"`,
      '--',
      `= ${remotePath} State "attached"`,
      `= ${echoPath} RemoteAddress 50`,
      `= ${echoPath} RemoteAddress 50`,
      `= ${echoPath} Connected true`,
      `= ${path} RemoteAddress 50`,
      `= ${path} Connected true`,
      `! ${devicePath} ChannelAnnounced`,
    ]);
  });

  it('that nothing announced begins with ResetNotified all the same', () => {
    const harness = Harness.up();
    harness.link.reset('rxdb');
    expect(told(harness)).toEqual([
      `! ${remotePath} ResetNotified`,
      '--',
      `= ${devicePath} State "down"`,
      `= ${echoPath} RemoteAddress ${any}`,
      `= ${echoPath} RemoteAddress ${any}`,
      `= ${echoPath} Connected false`,
      `! ${devicePath} ChannelWithdrawn`,
      `= ${remotePath} ResetCount 1`,
      `= ${remotePath} LastReset [TIME,"rxdb"]`,
      `= ${remotePath} Generation 2`,
      `= ${remotePath} State "down"`,
      '--',
      `= ${remotePath} State "waiting"`,
    ]);
    expect(harness.tree.signals[0]?.args).toEqual([1, 'rxdb']);
  });

  it('is kept when the link reports a vdev before the remote, and the reset not at all', () => {
    const harness = Harness.up({ vdevs: 2 });
    harness.link.setDevice('up', 1);
    harness.tree.story.length = 0;
    harness.link.setDevice('down', 0);
    harness.link.setRemote('waiting', 2);
    const states = told(harness).filter((line) => / (State|Generation) /.test(line));
    const notified = harness.tree.signals.filter(({ member }) => member === 'ResetNotified');
    expect(notified).toMatchObject([{ args: [1, 'test'] }]);
    expect(states).toEqual([
      `= ${remotePath}/vdev0 State "down"`,
      `= ${remotePath}/vdev1 State "down"`,
      `= ${remotePath} Generation 2`,
      `= ${remotePath} State "waiting"`,
    ]);
  });

  it('of the very first life is not told, nor counted', () => {
    const harness = new Harness();
    harness.link.reset('rxdb');
    expect(harness.tree.signals).toEqual([]);
    expect(harness.get(remotePath, remoteIface, 'ResetCount')).toBe(0);
  });
});

describe('a reset that is under way', () => {
  it('refuses sends at once and receives what still comes', async () => {
    const harness = Harness.up();
    harness.link.setRemote('quiescing');
    for (const member of ['Send', 'TrySend']) {
      const answer = harness.endpoint(echoPath, member, [Buffer.from('x')]);
      expect(await errorName(answer)).toBe(rpmsgError('RemoteDown'));
    }
    harness.link.receive(0, harness.localOf(echoPath), 30, 'last words');
    const [messages] = (await harness.endpoint(echoPath, 'Receive', [1, 0])) as [unknown[][]];
    expect(messages?.[0]?.[4]?.toString()).toBe('last words');
  });

  it('and does not come leaves everything as it was, and the next one is told anew', () => {
    const harness = Harness.up();
    harness.link.setRemote('quiescing');
    harness.link.setRemote('attached');
    expect(harness.get(echoPath, endpointIface, 'Connected')).toBe(true);
    expect(harness.get(remotePath, remoteIface, 'ResetCount')).toBe(0);
    harness.link.reset('rxdb');
    const notified = harness.tree.signals.filter(({ member }) => member === 'ResetNotified');
    expect(notified.map(({ args }) => args)).toEqual([
      [1, 'test'],
      [1, 'rxdb'],
    ]);
  });

  it('ends waiting sends with RemoteReset', async () => {
    const harness = Harness.up();
    harness.link.freeBuffers = 0;
    const answer = harness.endpoint(echoPath, 'Send', [Buffer.from('x')]);
    await tick();
    harness.link.setRemote('quiescing');
    harness.link.failWaiting('remote_reset');
    expect(await errorName(answer)).toBe(rpmsgError('RemoteReset'));
  });
});

describe('after a reset', () => {
  it('the same objects are bound to the new address', async () => {
    const harness = Harness.up();
    const path = (await open(harness)) as string;
    harness.link.setRemote('down', 2);
    harness.link.setDevice('down');
    harness.link.setDevice('up');
    harness.link.announce('echo', 50);
    for (const one of [echoPath, path]) {
      expect(harness.get(one, endpointIface, 'RemoteAddress')).toBe(50);
      expect(harness.get(one, endpointIface, 'Connected')).toBe(true);
    }
    await harness.endpoint(path, 'Send', [Buffer.from('x')]);
    expect(harness.link.sent.at(-1)?.destination).toBe(50);
  });

  it('what was received before is still delivered, with its generation', async () => {
    const harness = Harness.up();
    harness.link.receive(0, harness.localOf(echoPath), 30, 'old');
    harness.link.setRemote('down', 2);
    const [messages] = (await harness.endpoint(echoPath, 'Receive', [1, 0])) as [unknown[][]];
    expect(messages?.[0]?.slice(0, 3)).toEqual([0, 30, 1]);
  });

  it('announcements of the former life are worthless', () => {
    const harness = Harness.up();
    harness.link.setRemote('down', 2);
    harness.link.generation = 1;
    harness.link.announce('late', 60);
    expect(harness.tree.objects.has(`${devicePath}/channel_late`)).toBe(false);
    expect(harness.stats(devicePath, 'org.rpmsg.Device')['names_stale']).toBe(1n);
  });

  it('endpoints have forgotten a learned peer, not a given one, and are announced again', async () => {
    const harness = Harness.up();
    const announce = options({ announce: ['b', true] });
    const create = (src: number, dst: number, given = {}) =>
      harness.call(devicePath, 'org.rpmsg.Device', 'CreateEndpoint', ['e', src, dst, given]);
    const learned = (await create(40, any, announce)) as string;
    const given = (await create(41, 70)) as string;
    harness.link.receive(0, 40, 77, 'hi');
    harness.link.flush();
    harness.link.sent.length = 0;
    harness.link.setDevice('down');
    expect(harness.get(learned, endpointIface, 'RemoteAddress')).toBe(any);
    expect(harness.get(given, endpointIface, 'RemoteAddress')).toBe(70);
    harness.link.setDevice('offered');
    expect(harness.link.sent).toMatchObject([{ local: 40, destination: 53 }]);
    expect(harness.get(given, endpointIface, 'Connected')).toBe(true);
    harness.link.receive(0, 40, 78, 'again');
    harness.link.flush();
    expect(harness.get(learned, endpointIface, 'RemoteAddress')).toBe(78);
  });

  it('one before the first life is not counted', () => {
    const harness = new Harness();
    harness.link.setRemote('down', 1);
    harness.link.setRemote('waiting', 2);
    expect(harness.get(remotePath, 'org.rpmsg.Remote', 'ResetCount')).toBe(0);
    harness.link.setRemote('down', 3);
    expect(harness.get(remotePath, 'org.rpmsg.Remote', 'ResetCount')).toBe(1);
  });
});

describe('the causes of resets', () => {
  it.each(['rebooted', 'rxdb', 'flag', 'reinitialize', 'silent-restart'] as const)(
    '%s is told with the time at which it was noticed',
    (cause) => {
      const harness = Harness.up();
      const before = Date.now() * 1000;
      harness.link.reset(cause);
      const [timeUs, told] = harness.get(remotePath, remoteIface, 'LastReset') as [number, string];
      expect(told).toBe(cause);
      expect(timeUs).toBeGreaterThanOrEqual(before - 1000);
      expect(timeUs).toBeLessThanOrEqual(Date.now() * 1000);
    },
  );

  it('resets that follow closely are all counted', () => {
    const harness = Harness.up();
    harness.link.setRemote('waiting', 4);
    expect(harness.get(remotePath, remoteIface, 'ResetCount')).toBe(3);
  });
});

describe('the partition', () => {
  it('is told once it is known', () => {
    const harness = Harness.up();
    harness.service.remotePartition(0, 3);
    harness.service.remotePartition(0, 3);
    expect(harness.tree.story).toEqual([`= ${remotePath} Partition 3`]);
  });
});

describe('Reinitialize', () => {
  const root = { sender: ':1.0' };
  const start = () => {
    const harness = Harness.up();
    harness.clients.credentialsOf.set(':1.0', { uid: 0, gids: [] });
    const answer = harness.call(remotePath, remoteIface, 'Reinitialize', [], root);
    return { harness, answer };
  };

  it('returns when the remote has used its fresh rings, not before', async () => {
    const { harness, answer } = start();
    let isDone = false;
    void answer.then(() => {
      isDone = true;
    });
    await tick();
    harness.link.reset('reinitialize');
    harness.link.setDevice('offered');
    harness.link.setRemote('attached');
    await tick();
    expect(isDone).toBe(false);
    harness.link.setDevice('up');
    await answer;
  });

  it('is RemoteDown, with advice, when the remote does not use them', async () => {
    const { harness, answer } = start();
    await tick();
    harness.link.reset('reinitialize');
    harness.link.setDevice('offered');
    await expect(answer).rejects.toThrow(/must initialise its RPMsg stack again/);
    expect(await errorName(answer)).toBe(rpmsgError('RemoteDown'));
  });

  it('ends with the daemon', async () => {
    const { harness, answer } = start();
    await tick();
    void harness.service.stop();
    expect(await errorName(answer)).toBe(rpmsgError('ShuttingDown'));
  });
});
