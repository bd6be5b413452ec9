// SPDX-License-Identifier: Apache-2.0
// Who may make, use and close endpoints, and what is left of a client that leaves.

import { describe, expect, it } from 'vitest';
import {
  devicePath,
  ErrorName,
  echoPath,
  errorName,
  Harness,
  options,
  rpmsgError,
  tick,
} from './support/objects-harness.ts';

const any = 0xffffffff;
const endpointIface = 'org.rpmsg.Endpoint';
const persistent = options({ persistent: ['b', true] });
const root = { sender: ':1.0' };

function create(
  harness: Harness,
  src = any,
  dst = any,
  given = {},
  sender = ':1.1',
): Promise<unknown> {
  const args = ['mine', src, dst, given];
  return harness.call(devicePath, 'org.rpmsg.Device', 'CreateEndpoint', args, { sender });
}

function withRoot(harness = Harness.up()): Harness {
  harness.clients.credentialsOf.set(':1.0', { uid: 0, gids: [0] });
  return harness;
}

function endpointsOf(harness: Harness): string[] {
  return [...harness.tree.objects.keys()].filter((path) => path.includes('/endpoint_'));
}

describe('CreateEndpoint', () => {
  it('publishes the endpoint before it answers', async () => {
    const harness = Harness.up();
    const path = (await create(harness, 40, 41)) as string;
    expect(harness.tree.story).toContain(`+ ${path}`);
    const get = (property: string) => harness.get(path, endpointIface, property);
    expect(
      ['Name', 'LocalAddress', 'RemoteAddress', 'Owner', 'Persistent', 'Connected', 'Mtu'].map(get),
    ).toEqual(['mine', 40, 41, ':1.1', false, true, 496]);
  });

  it.each([53, 40, 1024])('refuses source address %i, which is taken', async (src) => {
    const harness = Harness.up();
    await create(harness, 40);
    expect(await errorName(create(harness, src))).toBe(rpmsgError('AddressInUse'));
    expect(endpointsOf(harness)).toHaveLength(1);
  });

  it('never uses a number twice, though the address is free again', async () => {
    const harness = Harness.up();
    const first = (await create(harness, 40)) as string;
    await harness.endpoint(first, 'Close');
    const second = await create(harness, 40);
    expect(second).not.toBe(first);
  });

  it('counts endpoints by uid and gives places back', async () => {
    const harness = Harness.up({ limits: { endpointsPerUid: 2 } });
    const first = (await create(harness)) as string;
    await create(harness, any, any, {}, ':1.2');
    expect(await errorName(create(harness))).toBe(rpmsgError('QuotaExceeded'));
    harness.clients.credentialsOf.set(':1.3', { uid: 1001, gids: [] });
    await create(harness, any, any, {}, ':1.3');
    await harness.endpoint(first, 'Close');
    await create(harness);
  });

  it('gives the place back when the address was taken', async () => {
    const harness = Harness.up({ limits: { endpointsPerUid: 1 } });
    await errorName(create(harness, 53));
    await create(harness);
  });

  it.each([
    ['an unknown key', options({ colour: ['s', 'red'] })],
    ['__proto__ as a key', options({ ['__proto__x']: ['s', 'red'] })],
    ['a wrong type', options({ announce: ['u', 1] })],
    ['an rx_queue of 0', options({ rx_queue: ['u', 0] })],
    ['an rx_queue above the limit', options({ rx_queue: ['u', 1025] })],
  ])('refuses %s', async (_what, given) => {
    const harness = Harness.up();
    expect(await errorName(create(harness, any, any, given))).toBe(ErrorName.invalidArgs);
    expect(endpointsOf(harness)).toEqual([]);
  });

  it('announces to the remote, now and at its end', async () => {
    const harness = Harness.up();
    const path = (await create(harness, 40, any, options({ announce: ['b', true] }))) as string;
    await harness.endpoint(path, 'Close');
    const [made, closed] = harness.link.sent;
    expect(made).toMatchObject({ local: 40, destination: 53 });
    expect(made?.data.toString('hex')).toBe(`6d696e65${'00'.repeat(28)}28000000${'00000000'}`);
    expect(closed?.data.readUInt32LE(36)).toBe(1);
  });

  it('learns its peer from the first message when it has none', async () => {
    const harness = Harness.up();
    const path = (await create(harness, 40)) as string;
    expect(harness.get(path, endpointIface, 'RemoteAddress')).toBe(any);
    harness.link.receive(0, 40, 77, 'hi');
    harness.link.flush();
    expect(harness.get(path, endpointIface, 'RemoteAddress')).toBe(77);
    expect(harness.tree.story).toContain(`= ${path} Connected true`);
    const answer = (await harness.endpoint(path, 'Receive', [1, 0])) as [unknown[], number];
    expect(answer[0]).toHaveLength(1);
  });
});

describe('owned endpoints', () => {
  it('obey their owner only', async () => {
    const harness = Harness.up();
    const path = (await create(harness)) as string;
    const other = { sender: ':1.2' };
    for (const [member, args] of [
      ['Send', [Buffer.alloc(1)]],
      ['SendTo', [Buffer.alloc(1), 1]],
      ['TrySend', [Buffer.alloc(1)]],
      ['SendBatch', [[]]],
      ['Receive', [1, 0]],
      ['Subscribe', [{}]],
      ['Unsubscribe', []],
      ['Ack', [0n]],
      ['Close', []],
    ] as const) {
      expect(await errorName(harness.endpoint(path, member, args, other)), member).toBe(
        rpmsgError('NotOwner'),
      );
    }
  });

  it('die with their owner, and their addresses are free again', async () => {
    const harness = Harness.up();
    const path = (await create(harness, 40)) as string;
    harness.clients.vanish(':1.1');
    harness.link.flush();
    expect(harness.tree.story.filter((line) => line === `- ${path}`)).toHaveLength(1);
    await create(harness, 40, any, {}, ':1.2');
  });

  it('are not made for a client that vanished while the bus was asked about it', async () => {
    const harness = Harness.up();
    let answer: (value: { uid: number; gids: number[] }) => void = () => {};
    harness.clients.credentials = () => new Promise((resolve) => (answer = resolve));
    const call = create(harness).catch(() => 'refused');
    await tick();
    harness.clients.vanish(':1.1');
    answer({ uid: 0, gids: [] });
    expect(await call).toBe('refused');
    expect(endpointsOf(harness)).toEqual([]);
  });

  it('can be closed by root and by the admin group', async () => {
    const harness = withRoot();
    harness.clients.credentialsOf.set(':1.7', { uid: 7, gids: [901] });
    for (const sender of [':1.0', ':1.7']) {
      const path = (await create(harness)) as string;
      await harness.endpoint(path, 'Close', [], { sender });
    }
    expect(endpointsOf(harness)).toEqual([]);
  });
});

describe('shared endpoints', () => {
  it('are made persistent by the privileged only, and outlive them', async () => {
    const harness = withRoot();
    expect(await errorName(create(harness, any, any, persistent))).toBe(ErrorName.accessDenied);
    const path = (await create(harness, 40, 41, persistent, ':1.0')) as string;
    harness.clients.vanish(':1.0');
    expect(harness.get(path, endpointIface, 'Persistent')).toBe(true);
    await harness.endpoint(path, 'Send', [Buffer.alloc(1)], { sender: ':1.9' });
    expect(await errorName(harness.endpoint(path, 'Close'))).toBe(ErrorName.accessDenied);
    await harness.endpoint(path, 'Close', [], root);
  });

  it('of channels and of the configuration cannot be closed', async () => {
    const harness = withRoot(
      Harness.up({ endpoints: [{ vdev: 0, name: 'gw', src: 30, dst: undefined }] }),
    );
    for (const path of [echoPath, ...endpointsOf(harness)]) {
      const answer = harness.endpoint(path, 'Close', [], root);
      expect(await errorName(answer)).toBe(rpmsgError('NotSupported'));
    }
  });
});

describe('privileged methods', () => {
  it.each([
    ['/org/rpmsg', 'org.rpmsg.Manager', 'Reload', []],
    ['/org/rpmsg', 'org.rpmsg.Manager', 'Capture', [{}]],
    ['/org/rpmsg/cm40', 'org.rpmsg.Remote', 'Reinitialize', []],
  ])('%s %s.%s is refused to ordinary clients', async (path, iface, member, args) => {
    const answer = Harness.up().call(path, iface, member, args);
    expect(await errorName(answer)).toBe(ErrorName.accessDenied);
  });

  it('reinitialise the remote for root', async () => {
    const harness = withRoot();
    const answer = harness.call('/org/rpmsg/cm40', 'org.rpmsg.Remote', 'Reinitialize', [], root);
    await tick();
    expect(harness.link.reinitialized).toEqual([0]);
    harness.link.reset('reinitialize');
    harness.link.setDevice('up');
    await answer;
  });
});
