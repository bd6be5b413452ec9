// SPDX-License-Identifier: Apache-2.0
// Announcements and names: what is taken from a remote, and what is made of it.

import { describe, expect, it } from 'vitest';
import { channelName, pathElement } from '../../src/rpmsg/channel-name.ts';
import { decodeAnnouncement, encodeAnnouncement } from '../../src/rpmsg/name-service.ts';

function message(name: Uint8Array, address: number, flags: number): Buffer {
  const payload = Buffer.alloc(40);
  payload.set(name);
  payload.writeUInt32LE(address, 32);
  payload.writeUInt32LE(flags, 36);
  return payload;
}

describe('announcements', () => {
  it('encodes name, address and flags as Linux lays them out', () => {
    const payload = encodeAnnouncement('echo', 0x1e, 'destroy');
    const golden = `${Buffer.from('echo').toString('hex')}${'00'.repeat(28)}1e00000001000000`;
    expect(payload.toString('hex')).toBe(golden);
  });

  it('reads back what it encodes', () => {
    const read = decodeAnnouncement(encodeAnnouncement('rpmsg-tty', 1024, 'create'));
    expect(read).toMatchObject({ address: 1024, kind: 'create' });
    expect(read?.name.display).toBe('rpmsg-tty');
  });

  it('tests bit 0 of the flags alone', () => {
    expect(decodeAnnouncement(message(Buffer.from('a'), 1, 0xfffffffe))?.kind).toBe('create');
    expect(decodeAnnouncement(message(Buffer.from('a'), 1, 3))?.kind).toBe('destroy');
  });

  it.each([0, 39, 41, 496])('refuses a message of %i bytes', (bytes) => {
    expect(decodeAnnouncement(Buffer.alloc(bytes, 0x41))).toBeUndefined();
  });

  it('refuses the address that nobody can have', () => {
    expect(decodeAnnouncement(message(Buffer.from('a'), 0xffffffff, 0))).toBeUndefined();
  });

  it('takes a name of 32 bytes without terminator', () => {
    const read = decodeAnnouncement(message(Buffer.alloc(32, 0x78), 7, 0));
    expect(read?.name.raw.length).toBe(32);
  });

  it.each(['', 'x'.repeat(32), 'a\0b'])('will not announce the name %j', (name) => {
    expect(() => encodeAnnouncement(name, 1, 'create')).toThrow(/1 to 31 bytes and no NUL/);
  });
});

describe('names', () => {
  it.each([
    ['rpmsg-openamp-demo-channel', 'rpmsg_2dopenamp_2ddemo_2dchannel'],
    ['', '_'],
    ['0abc1', '_30abc1'],
    ['a_b', 'a_5fb'],
    ['ÄZ', '_c3_84Z'],
  ])('escapes %j as sd_bus_path_encode does', (name, element) => {
    expect(pathElement(Buffer.from(name))).toBe(element);
  });

  it('keeps raw bytes and shows valid UTF-8 for a name that is none', () => {
    const name = channelName(Buffer.from([0x61, 0xff, 0xc3, 0x28, 0, 0x7a]));
    expect(name.raw).toEqual(Buffer.from([0x61, 0xff, 0xc3, 0x28]));
    expect(name.display).toBe('a\ufffd\ufffd(');
    expect(name.element).toBe('a_ff_c3_28');
  });

  it('makes a path element of every single byte', () => {
    for (let byte = 1; byte < 256; byte++) {
      expect(channelName(Buffer.from([byte])).element).toMatch(/^([A-Za-z]|_[0-9a-f]{2})$/);
    }
  });

  it('keeps no reference to the bytes it was made of', () => {
    const field = Buffer.from('echo');
    const name = channelName(field);
    field.fill(0x78);
    expect(name.raw.toString()).toBe('echo');
  });
});
