// SPDX-License-Identifier: Apache-2.0
// The export layer as clients see it: order of signals, properties, names, credentials, busctl.

import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bus, BusError, connectBus, Variant } from '../../src/dbus/index.ts';
import { BUS_KINDS, type BusProcess, startBus } from '../support/bus-process.ts';
import {
  IFACE,
  OBJECT,
  ROOT,
  SERVICE,
  type Service,
  startService,
  Thing,
  thingInterface,
} from '../support/bus-service.ts';

const run = promisify(execFile);
const PROPERTIES = 'org.freedesktop.DBus.Properties';

describe.each(BUS_KINDS)('%s', (kind) => {
  let process_: BusProcess;
  let service: Service;
  let client: Bus;
  const heard: [member: string, path: string, args: readonly unknown[]][] = [];
  const call = (member: string, signature = '', args: readonly unknown[] = [], iface = IFACE) =>
    client.call(SERVICE, OBJECT, iface, member, signature, args, { timeoutMs: 5_000 });
  const busctl = async (...args: string[]) =>
    (await run('busctl', ['--address', process_.address, ...args])).stdout;

  beforeAll(async () => {
    process_ = await startBus(kind);
    service = await startService(process_.address);
    client = await connectBus(process_.address);
    await client.subscribe({ sender: SERVICE, pathNamespace: ROOT }, ({ member, path, args }) => {
      heard.push([member, path, args]);
    });
  });
  afterAll(async () => {
    await client?.close();
    await service?.bus.close();
    await process_?.stop();
  });

  test('a change is announced before the reply of the call that made it', async () => {
    heard.length = 0;
    await call('Change', 'u', [5]);
    expect(heard).toEqual([
      ['PropertiesChanged', OBJECT, [IFACE, { Level: new Variant('u', 5) }, []]],
    ]);
    await call('Change', 'u', [1]);
  });

  test('changes of one turn are announced once, and before a later signal', async () => {
    heard.length = 0;
    service.tree.changed(OBJECT, IFACE, 'Level', 'Stats');
    service.tree.changed(OBJECT, IFACE, 'Level', 'Large', 'Fixed');
    service.tree.emitSignal(OBJECT, IFACE, 'Happened', ['later']);
    await call('Echo', 's', ['flush']);
    expect(heard).toEqual([
      ['PropertiesChanged', OBJECT, [IFACE, { Level: new Variant('u', 1) }, ['Large']]],
      ['Happened', OBJECT, ['later']],
    ]);
  });

  test('properties without change signals are never announced', async () => {
    heard.length = 0;
    service.tree.changed(OBJECT, IFACE, 'Stats', 'Fixed');
    await call('Echo', 's', ['flush']);
    expect(heard).toEqual([]);
  });

  test('an object is announced before its signals, and its end is announced once', async () => {
    heard.length = 0;
    const path = '/org/rpmsg/box/other';
    service.tree.publish(path, [thingInterface.of(new Thing())]);
    service.tree.changed(path, IFACE, 'Level');
    service.tree.emitSignal(path, IFACE, 'Happened', ['new']);
    service.tree.changed(path, IFACE, 'Level');
    service.tree.withdraw(path);
    service.tree.withdraw(path);
    await call('Echo', 's', ['flush']);
    expect(heard.map(([member, at]) => [member, at])).toEqual([
      ['InterfacesAdded', ROOT],
      ['PropertiesChanged', path],
      ['Happened', path],
      ['InterfacesRemoved', ROOT],
    ]);
    const added = heard[0]?.[2] as [string, Record<string, object>];
    expect(added[0]).toBe(path);
    expect(Object.keys(added[1][IFACE] ?? {}).sort()).toEqual(['Fixed', 'Knob', 'Level']);
    expect(heard[3]?.[2]).toEqual([path, [IFACE]]);
  });

  test('a property that may be written is, with its type checked', async () => {
    await call('Set', 'ssv', [IFACE, 'Knob', new Variant('u', 7)], PROPERTIES);
    expect(await client.getProperty(SERVICE, OBJECT, IFACE, 'Knob')).toBe(7);
    const wrong = call('Set', 'ssv', [IFACE, 'Knob', new Variant('s', '7')], PROPERTIES);
    await expect(wrong).rejects.toMatchObject({
      name: 'org.freedesktop.DBus.Error.InvalidArgs',
      message: "property Knob is of type 'u', got 's'",
    });
    await call('Set', 'ssv', [IFACE, 'Secret', new Variant('s', 'x')], PROPERTIES);
    expect(service.thing.secret).toBe('x');
  });

  test('several out arguments come from an array', async () => {
    expect(await call('Pair')).toEqual([7, 2n ** 63n]);
  });

  test('GetAll has every readable property, also for an empty interface name', async () => {
    const [all] = await call('GetAll', 's', [IFACE], PROPERTIES);
    expect(Object.keys(all as object)).toEqual(['Level', 'Fixed', 'Stats', 'Large', 'Knob']);
    expect((await call('GetAll', 's', [''], PROPERTIES))[0]).toEqual(all);
    expect(await call('GetAll', 's', [PROPERTIES], PROPERTIES)).toEqual([{}]);
  });

  test('credentials are known while a client lives, and it is gone when it has left', async () => {
    const guest = await connectBus(process_.address);
    const { name } = guest;
    const gids = process.getgroups?.() ?? [];
    expect(await service.clients.credentials(name)).toMatchObject({ uid: process.getuid?.() });
    const told = (await service.clients.credentials(name)).gids;
    if (told.length > 0) expect(told).toEqual(expect.arrayContaining(gids));
    const vanished = new Promise<void>((resolve) => {
      service.clients.onVanish(name, resolve);
    });
    await guest.close();
    await vanished;
    await expect(service.clients.credentials(name)).rejects.toBeInstanceOf(BusError);
    await new Promise<void>((resolve) => {
      service.clients.watch(name, resolve);
    });
  });

  test('a name that is taken is an error that names its owner, never a place in a queue', async () => {
    const rival = await connectBus(process_.address);
    await expect(rival.acquireName(SERVICE)).rejects.toThrow(service.bus.name);
    await rival.close();
  });

  test('a name that is lost is an event', async () => {
    const owner = await connectBus(process_.address);
    await owner.acquireName('org.rpmsg.Lost');
    const lost = new Promise((resolve) => owner.once('nameLost', resolve));
    await owner.callBus('ReleaseName', 's', ['org.rpmsg.Lost']);
    expect(await lost).toBe('org.rpmsg.Lost');
    await owner.close();
  });

  test('a call without an answer ends in NoReply', async () => {
    const options = { timeoutMs: 20 };
    const waiting = client.call(SERVICE, OBJECT, IFACE, 'Wait', '', [], options);
    await expect(waiting).rejects.toMatchObject({ name: 'org.freedesktop.DBus.Error.NoReply' });
    await call('Release');
  });

  test('busctl shows tree, members and values, and calls methods', async () => {
    expect(await busctl('tree', '--list', SERVICE)).toBe(
      `/\n/org\n/org/rpmsg\n/org/rpmsg/box\n${OBJECT}\n`,
    );
    const table = await busctl('introspect', SERVICE, OBJECT);
    expect(table).toMatch(/\.Level +property +u +1 +emits-change/);
    expect(table).toMatch(/\.Fixed +property +s +"for ever" +const/);
    expect(table).toMatch(/\.Stats +property +a\{st\} +1 "messages" 5 +-/);
    expect(table).toMatch(/\.Large +property +ay +10 .* emits-invalidation/);
    expect(await busctl('call', SERVICE, OBJECT, IFACE, 'Echo', 's', 'hi')).toBe('s "hi"\n');
    service.thing.sent = [];
    await busctl('call', SERVICE, OBJECT, IFACE, 'Send', 'ay', '3', '1', '2', '3');
    expect(service.thing.sent).toEqual([Buffer.from([1, 2, 3])]);
    const knob = busctl('set-property', SERVICE, OBJECT, IFACE, 'Level', 'u', '3');
    await expect(knob).rejects.toThrow(/read-only/);
  });
});

describe('a name refused by policy', () => {
  const name = 'org.elsewhere.Name';
  const denied = { name: 'org.freedesktop.DBus.Error.AccessDenied' };
  let process_: BusProcess;
  let bus: Bus;

  beforeAll(async () => {
    process_ = await startBus('dbus-daemon system');
    bus = await connectBus(process_.address);
  });
  afterAll(async () => {
    await bus?.close();
    await process_?.stop();
  });

  test('is an error when time is up', async () => {
    await expect(bus.acquireName(name, { retryMs: 0 })).rejects.toMatchObject(denied);
  });

  test('is ours once the bus has reloaded its policy', async () => {
    const acquired = bus.acquireName(name, { retryMs: 20_000 });
    const config = readFileSync(process_.config, 'utf8');
    const allowed = '<allow own="org.elsewhere.Name"/></policy>';
    writeFileSync(process_.config, config.replace('</policy>', allowed));
    await bus.callBus('ReloadConfig');
    await acquired;
    expect(await bus.callBus('GetNameOwner', 's', [name])).toEqual([bus.name]);
  });
});
