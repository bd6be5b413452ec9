// SPDX-License-Identifier: Apache-2.0
// What of one daemon the next one finds: objects, owners, channels, messages, each after a death in
// which the link kept its state, lost it, or found a remote that was reset meanwhile.

import { describe, expect, it } from 'vitest';
import {
  devicePath,
  echoPath,
  endpointIface,
  errorName,
  Harness,
  options,
  rpmsgError,
  tick,
} from './support/objects-harness.ts';
import {
  any,
  arrive,
  begin,
  channelIface,
  create,
  manual,
  next,
  open,
  openStore,
  paths,
  receive,
  sentTo,
} from './support/restarts.ts';

const root = { sender: ':1.0' };

describe('objects', () => {
  it('are the same, with their properties', async () => {
    const harness = begin({ endpoints: [{ vdev: 0, name: 'gateway', src: 30, dst: 30 }] });
    const mine = await open(harness);
    await create(harness, 40, 41);
    const names = ['Name', 'LocalAddress', 'RemoteAddress', 'Owner', 'Persistent', 'Connected'];
    const all = (one: Harness) =>
      paths(one)
        .filter((path) => /endpoint_|channel_/.test(path))
        .map((path) => [path, ...names.map((name) => one.get(path, endpointIface, name))]);
    const restarted = await next(harness, {
      endpoints: [{ vdev: 0, name: 'gateway', src: 30, dst: 30 }],
    });
    restarted.link.setRemote('attached', 1);
    restarted.link.setDevice('up');
    expect(paths(restarted)).toEqual(paths(harness));
    expect(all(restarted)).toEqual(all(harness));
    expect(await receive(restarted, mine)).toEqual([]);
  });

  it('obey the same owner, and nobody else', async () => {
    const harness = begin();
    const mine = await open(harness);
    const restarted = await next(harness);
    const stranger = { sender: ':1.2' };
    expect(await errorName(restarted.endpoint(mine, 'Send', [Buffer.from('x')], stranger))).toBe(
      rpmsgError('NotOwner'),
    );
    await restarted.endpoint(mine, 'Close');
    expect(paths(restarted)).not.toContain(mine);
    expect(paths(await next(restarted))).not.toContain(mine);
  });

  it('of an owner that left meanwhile are gone, and later deaths are noticed', async () => {
    const harness = begin();
    const mine = await open(harness);
    const other = (await create(harness, 40, 41, {}, { sender: ':1.2' })) as string;
    const restarted = await next(harness, { left: [':1.1'] });
    expect(paths(restarted)).not.toContain(mine);
    expect(paths(restarted)).toContain(other);
    restarted.clients.vanish(':1.2');
    expect(paths(restarted)).not.toContain(other);
    expect(paths(await next(restarted))).not.toContain(other);
  });

  it('with an owner are gone on another bus; shared ones stay', async () => {
    const harness = begin();
    const mine = await open(harness);
    harness.clients.credentialsOf.set(':1.0', { uid: 0, gids: [0] });
    const given = options({ persistent: ['b', true] });
    const shared = (await create(harness, 40, 41, given, root)) as string;
    const restarted = await next(harness, { bus: 'b' });
    expect(paths(restarted)).not.toContain(mine);
    expect(paths(restarted)).toEqual(expect.arrayContaining([shared, echoPath]));
    const again = await next(restarted, { bus: 'b' });
    expect(paths(again)).toContain(shared);
  });

  it('never get a number that was used, though nothing with it is left', async () => {
    const harness = begin();
    const first = await open(harness);
    await harness.endpoint(first, 'Close');
    const restarted = await next(harness);
    const second = await open(restarted);
    const again = await next(restarted, { resume: 'lost', left: [':1.1'] });
    again.link.setDevice('up');
    again.link.setRemote('attached', 1);
    again.link.announce('echo', 30);
    const third = await open(again);
    expect(new Set([first, second, third]).size).toBe(3);
  });

  it('of the configuration are made anew when it says something else of them', async () => {
    const harness = begin({ endpoints: [{ vdev: 0, name: 'gateway', src: 30, dst: 30 }] });
    const mine = (await create(harness, 31, 41)) as string;
    const [before] = paths(harness).filter((path) => path.includes('endpoint_'));
    const restarted = await next(harness, {
      endpoints: [
        { vdev: 0, name: 'gateway', src: 30, dst: 99 },
        { vdev: 0, name: 'new', src: 31, dst: 99 },
      ],
    });
    const found = paths(restarted).filter((path) => path.includes('endpoint_'));
    expect(found).toHaveLength(2);
    expect(found).not.toContain(before);
    expect(found).not.toContain(mine);
    expect(found.map((path) => restarted.get(path, endpointIface, 'RemoteAddress'))).toEqual([
      99, 99,
    ]);
  });

  it('count against the quota of their owner', async () => {
    const limits = { endpointsPerUid: 1 };
    const harness = begin({ limits });
    const mine = await open(harness);
    const restarted = await next(harness, { limits });
    expect(await errorName(open(restarted))).toBe(rpmsgError('QuotaExceeded'));
    await restarted.endpoint(mine, 'Close');
    await open(restarted);
  });

  it('know the peer that one has taught them, in the same life of the remote only', async () => {
    const harness = begin();
    const path = (await create(harness, 40)) as string;
    arrive(harness, 40, 1);
    expect(harness.get(path, endpointIface, 'RemoteAddress')).toBe(30);
    const restarted = await next(harness);
    expect(restarted.get(path, endpointIface, 'RemoteAddress')).toBe(30);
    const reset = await next(restarted, { resume: 'cold', generation: 2 });
    reset.link.setRemote('waiting', 2);
    expect(reset.get(path, endpointIface, 'RemoteAddress')).toBe(any);
  });

  it('that were announced to the remote are not announced again in the same life', async () => {
    const harness = begin();
    await create(harness, 40, any, options({ announce: ['b', true] }));
    expect(harness.link.sent).toHaveLength(1);
    const restarted = await next(harness);
    restarted.link.setRemote('attached', 1);
    restarted.link.setDevice('up');
    expect(restarted.link.sent).toHaveLength(0);
    const reset = await next(restarted, { resume: 'cold', generation: 2 });
    reset.link.setRemote('waiting', 2);
    reset.link.setDevice('offered');
    expect(reset.link.sent).toMatchObject([{ local: 40, destination: 53 }]);
  });
});

describe('channels', () => {
  it('are alive without being announced again, and no reset is told', async () => {
    const restarted = await next(begin());
    restarted.link.setRemote('attached', 1);
    restarted.link.setDevice('up');
    expect(restarted.get(echoPath, channelIface, 'RemoteAddress')).toBe(30);
    expect(restarted.get(echoPath, endpointIface, 'Connected')).toBe(true);
    expect(restarted.get('/org/rpmsg/cm40', 'org.rpmsg.Remote', 'ResetCount')).toBe(0);
    expect(restarted.tree.story.filter((line) => line.includes('Channel'))).toEqual([]);
  });

  it('announced while no daemon was there are found', async () => {
    const harness = begin();
    await tick();
    const link = harness.link.restart();
    const payload = Buffer.alloc(40);
    payload.write('late');
    payload.writeUInt32LE(77, 32);
    link.receive(0, 53, 77, payload);
    const restarted = await Harness.after({ link, store: openStore(), bus: 'a' });
    expect(restarted.tree.objects.has(`${devicePath}/channel_late`)).toBe(true);
  });

  it('whose announcement was stored but not let go are no silent restart', async () => {
    const harness = begin();
    harness.link.release = () => {};
    harness.link.announce('second', 31);
    const restarted = await next(harness);
    const stats = restarted.stats(devicePath, 'org.rpmsg.Device');
    expect(stats['names_duplicate']).toBe(0n);
    expect(restarted.tree.objects.has(`${devicePath}/channel_second`)).toBe(true);
    expect(restarted.link.endpointAt(0, 53)?.queue).toHaveLength(0);
  });

  it('withdrawn stay so', async () => {
    const harness = begin();
    harness.link.withdraw('echo', 30);
    const restarted = await next(harness);
    expect(restarted.get(echoPath, channelIface, 'RemoteAddress')).toBe(any);
  });

  it('of a remote that was reset meanwhile come back by name, as over any reset', async () => {
    const harness = begin();
    const mine = await open(harness);
    harness.link.announce('unused', 31);
    const restarted = await next(harness, { resume: 'cold', generation: 2 });
    restarted.link.setRemote('waiting', 2);
    expect(restarted.get('/org/rpmsg/cm40', 'org.rpmsg.Remote', 'ResetCount')).toBe(1);
    expect(restarted.get(mine, endpointIface, 'Connected')).toBe(false);
    expect(restarted.tree.objects.has(`${devicePath}/channel_unused`)).toBe(false);
    restarted.link.setDevice('up');
    restarted.link.announce('echo', 99);
    expect(restarted.get(mine, endpointIface, 'RemoteAddress')).toBe(99);
    expect(restarted.get(mine, endpointIface, 'Connected')).toBe(true);
  });

  it('with the same name keep their ordinals', async () => {
    const harness = begin();
    harness.link.announce('echo', 31);
    harness.link.withdraw('echo', 30);
    const restarted = await next(harness);
    expect(restarted.get(`${echoPath}__2`, channelIface, 'RemoteAddress')).toBe(31);
    expect(restarted.get(echoPath, channelIface, 'RemoteAddress')).toBe(any);
  });
});

describe('messages', () => {
  it('that nobody had are received, once, with their numbers', async () => {
    const harness = begin();
    const mine = await open(harness);
    const local = harness.localOf(mine);
    arrive(harness, local, 10);
    expect(await receive(harness, mine, 4)).toEqual([0, 1, 2, 3]);
    const restarted = await next(harness);
    expect(await receive(restarted, mine)).toEqual([4, 5, 6, 7, 8, 9]);
    arrive(restarted, local, 1);
    expect(await receive(restarted, mine)).toEqual([10]);
    expect(await receive(await next(restarted), mine)).toEqual([]);
  });

  it('whose answer had not begun to leave are received again, and no other', async () => {
    const harness = begin();
    const mine = await open(harness);
    arrive(harness, harness.localOf(mine), 4);
    const leaving: (() => void)[] = [];
    harness.leave = (callback) => void leaving.push(callback);
    expect(await receive(harness, mine, 2)).toEqual([0, 1]);
    expect(await receive(harness, mine, 1)).toEqual([2]);
    expect(await receive(await next(harness), mine)).toEqual([0, 1, 2, 3]);
    // The first one has left, the second one has not.
    for (const step of leaving.slice(0, 2)) step();
    expect(await receive(await next(harness), mine)).toEqual([2, 3]);
  });

  it('behind a gap that an earlier daemon counted are not held up by it', async () => {
    const harness = begin({ limits: { rxQueue: 4 } });
    const mine = await open(harness);
    arrive(harness, harness.localOf(mine), 20);
    const restarted = await next(harness);
    expect(await receive(restarted, mine, 2)).toEqual([16, 17]);
    arrive(restarted, restarted.localOf(mine), 20);
    expect(await receive(restarted, mine)).toEqual([18, 19, 36, 37]);
    expect(await receive(restarted, mine)).toEqual([38, 39]);
  });

  it('of the former life are delivered with its generation', async () => {
    const harness = begin();
    const mine = await open(harness);
    arrive(harness, harness.localOf(mine), 1);
    const restarted = await next(harness, { resume: 'cold', generation: 2 });
    restarted.link.setRemote('waiting', 2);
    const answer = await restarted.endpoint(mine, 'Receive', [1, 0]);
    expect((answer as [unknown[][]])[0][0]?.[2]).toBe(1);
  });
});

describe('without its state', () => {
  it('a remote of another boot or a damaged file begins from nothing', async () => {
    const harness = begin();
    await open(harness);
    await tick();
    const link = harness.link.restart('lost');
    const store = openStore('another boot');
    const restarted = await Harness.after({ link, store, bus: 'a' });
    expect(paths(restarted)).toEqual(['/org/rpmsg', '/org/rpmsg/cm40', devicePath]);
  });

  it('a remote that lives on has its channels, whatever number its life has now', async () => {
    const harness = begin();
    harness.link.setRemote('waiting', 3);
    harness.link.setDevice('up');
    harness.link.announce('echo', 30);
    const mine = await open(harness);
    await harness.endpoint(mine, 'Subscribe', [manual(4)]);
    arrive(harness, harness.localOf(mine), 4);
    await harness.endpoint(mine, 'Ack', [3n]);
    const adopted = await next(harness, { resume: 'adopted', generation: 1 });
    adopted.link.setRemote('attached', 1);
    adopted.link.setDevice('up');
    expect(adopted.get(mine, endpointIface, 'Connected')).toBe(true);
    // Its numbers begin anew; what was acknowledged under them says nothing now.
    arrive(adopted, adopted.localOf(mine), 2);
    expect(sentTo(adopted, ':1.1')).toEqual([0, 1]);
    const again = await next(adopted);
    again.link.setRemote('attached', 1);
    again.link.setDevice('up');
    expect(again.get(mine, endpointIface, 'Connected')).toBe(true);
  });

  it('a remote that lives on without the file of objects is told of in the log', async () => {
    const harness = begin();
    await tick();
    const link = harness.link.restart();
    const store = openStore('another boot');
    const restarted = await Harness.after({ link, store, bus: 'a' });
    expect(restarted.warnings.join()).toMatch(/the file with its channels and endpoints is gone/);
  });

  it('kept endpoints that no object knows are closed, and their addresses are free', async () => {
    const harness = begin();
    await create(harness, 40);
    const link = harness.link.restart();
    const store = openStore('another boot');
    const restarted = await Harness.after({ link, store, bus: 'a' });
    await create(restarted, 40);
    expect(link.endpointAt(0, 40)?.isKept).toBe(false);
  });
});

it('after the loss of the bus everything is as it was', async () => {
  const harness = begin();
  const mine = await open(harness);
  harness.service.freeze();
  harness.clients.vanish(':1.1');
  expect(paths(await next(harness))).toContain(mine);
});
