// SPDX-License-Identifier: Apache-2.0
// Local addresses of a vdev.

import { describe, expect, it } from 'vitest';
import { AddressSpace } from '../../src/rpmsg/addresses.ts';

describe('addresses', () => {
  it('gives out the lowest free one from 1024 up', () => {
    const space = new AddressSpace();
    space.claim(1025);
    expect([space.allocate(), space.allocate()]).toEqual([1024, 1026]);
    space.release(1024);
    space.release(1026);
    expect([space.allocate(), space.allocate(), space.allocate()]).toEqual([1024, 1026, 1027]);
  });

  it('lets any free one be asked for by number, below 1024 too', () => {
    const space = new AddressSpace();
    for (const address of [0, 30, 52, 54, 0xfffffffe]) space.claim(address);
    expect(() => space.claim(30)).toThrow(expect.objectContaining({ code: 'address_in_use' }));
    space.release(30);
    space.claim(30);
  });

  it('never gives away the name service address', () => {
    const space = new AddressSpace();
    expect(() => space.claim(53)).toThrow(/53 is the name service's/);
    space.release(53);
    expect(() => space.claim(53)).toThrow(expect.objectContaining({ code: 'address_in_use' }));
  });

  it('knows that 0xffffffff is no address', () => {
    expect(() => new AddressSpace().claim(0xffffffff)).toThrow(/0 to 0xfffffffe/);
  });

  it('does not hand out an address below 1024 that was released', () => {
    const space = new AddressSpace();
    space.claim(5);
    space.release(5);
    expect(space.allocate()).toBe(1024);
  });
});
