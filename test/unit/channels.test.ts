// SPDX-License-Identifier: Apache-2.0
// What announcements make of the channels of one vdev.

import { describe, expect, it } from 'vitest';
import { type Channel, ChannelRegistry } from '../../src/rpmsg/channels.ts';
import { encodeAnnouncement } from '../../src/rpmsg/name-service.ts';

const limit = 4;

function create(registry: ChannelRegistry, name: string, address: number) {
  return registry.receive(encodeAnnouncement(name, address, 'create'), limit);
}

function destroy(registry: ChannelRegistry, name: string, address: number) {
  return registry.receive(encodeAnnouncement(name, address, 'destroy'), limit);
}

function channelOf(outcome: ReturnType<typeof create>): Channel {
  if (!('channel' in outcome)) throw new Error(`no channel: ${outcome.kind}`);
  return outcome.channel;
}

describe('channels', () => {
  it('gives the same channel back when a withdrawn name is announced again', () => {
    const registry = new ChannelRegistry();
    const first = channelOf(create(registry, 'echo', 30));
    expect(destroy(registry, 'echo', 30)).toMatchObject({ kind: 'withdrawn', address: 30 });
    expect(first.remoteAddress).toBeUndefined();
    const outcome = create(registry, 'echo', 31);
    expect(outcome.kind).toBe('revived');
    expect(channelOf(outcome)).toBe(first);
    expect(first.remoteAddress).toBe(31);
  });

  it('numbers further channels of a name that is alive', () => {
    const registry = new ChannelRegistry();
    const elements = [30, 31, 32].map((at) => channelOf(create(registry, 'a-b', at)).element);
    expect(elements).toEqual(['channel_a_2db', 'channel_a_2db__2', 'channel_a_2db__3']);
  });

  it('gives each of several of one name its own path back after a reset, by address if it can', () => {
    const registry = new ChannelRegistry();
    create(registry, 'x', 30);
    create(registry, 'x', 31);
    registry.withdrawAll();
    expect(channelOf(create(registry, 'x', 31)).element).toBe('channel_x__2');
    expect(channelOf(create(registry, 'x', 99)).element).toBe('channel_x');
  });

  it('takes an announcement of what is alive for a silent restart', () => {
    const registry = new ChannelRegistry();
    const first = channelOf(create(registry, 'echo', 30));
    const outcome = create(registry, 'echo', 30);
    expect(outcome.kind).toBe('duplicate');
    expect(channelOf(outcome)).toBe(first);
    expect(registry.counters.duplicate).toBe(1);
    expect(registry.size).toBe(1);
  });

  it('counts a withdrawal of what is not there, by name or by address', () => {
    const registry = new ChannelRegistry();
    create(registry, 'echo', 30);
    destroy(registry, 'other', 30);
    destroy(registry, 'echo', 31);
    expect(registry.counters.unknown).toBe(2);
    expect([...registry].filter(({ isAlive }) => isAlive)).toHaveLength(1);
  });

  it('counts what is malformed and changes nothing', () => {
    const registry = new ChannelRegistry();
    expect(registry.receive(Buffer.alloc(41), limit)).toEqual({
      kind: 'ignored',
      why: 'malformed',
    });
    expect(registry.size).toBe(0);
  });

  it('refuses announcements beyond the limit while all are alive', () => {
    const registry = new ChannelRegistry();
    for (let i = 0; i < 6; i++) create(registry, `c${i}`, i);
    expect(registry.size).toBe(limit);
    expect(registry.counters.refused).toBe(2);
  });

  it('makes room by forgetting the oldest withdrawn channel that nobody uses', () => {
    let used: Channel | undefined;
    const registry = new ChannelRegistry((channel) => channel !== used);
    const channels = [0, 1, 2, 3].map((i) => channelOf(create(registry, `c${i}`, i)));
    used = channels[0];
    registry.withdrawAll();
    expect(create(registry, 'new', 9)).toMatchObject({ kind: 'created', evicted: channels[1] });
    expect([...registry].map(({ name }) => name.display)).toEqual(['c0', 'c2', 'c3', 'new']);
  });

  it('tells names apart by their bytes, not by how they are shown', () => {
    const registry = new ChannelRegistry();
    const raw = (byte: number) => {
      const payload = encodeAnnouncement('x', byte, 'create');
      payload[0] = byte;
      return payload;
    };
    const first = channelOf(registry.receive(raw(0xfe), limit));
    const second = channelOf(registry.receive(raw(0xff), limit));
    expect([first.name.display, second.name.display]).toEqual(['\ufffd', '\ufffd']);
    expect([first.element, second.element]).toEqual(['channel__fe', 'channel__ff']);
  });
});
