// SPDX-License-Identifier: Apache-2.0
// Firmware that dies in the middle of a register access, or restarts, and is started again by the
// board: the next life is told, channels come back on the same objects, and others never notice.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { firmwareCommand } from '../../packaging/dev/scene.mjs';
import type { BusKind } from '../support/bus-process.ts';
import {
  channelPath,
  errorOf,
  type RpmsgClient,
  type RpmsgEndpoint,
  until,
} from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';

const echo = channelPath('cm40', 0, 'echo');
let directory: string;
let scene: SceneClient;
let client: RpmsgClient;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rpmsg-death-'));
});
afterEach(async () => {
  await scene?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Starts a board of two cores; the first firmware of cm40 has `fault`, those after it have none. */
async function start(bus: BusKind, fault: string): Promise<void> {
  const program = join(directory, 'firmware');
  const once = `mkdir '${directory}/spoilt' 2>/dev/null`;
  const script = `if ${once}; then exec ${firmwareCommand(2, fault)}; fi\nexec ${firmwareCommand(2)}\n`;
  writeFileSync(program, script);
  const m4 = (name: string) => ({ name, platform: 'sim', soc: 'imx8qm', vdevs: 2 });
  scene = await SceneClient.start({
    bus,
    config: { limits: { send_timeout_ms: 200 }, remote: [m4('cm40'), m4('cm41')] },
    firmware: ({ core }) => (core === 'cm40' ? `sh ${program}` : firmwareCommand(2)),
  });
  client = await scene.client();
}

/** Whether `text` comes back; what came for earlier trips is passed over. */
async function trip(endpoint: RpmsgEndpoint, text: string): Promise<boolean> {
  await endpoint.trySend(Buffer.from(text)).catch(() => undefined);
  for (;;) {
    const { messages } = await endpoint.receive(1, 100);
    if (messages.length === 0) return false;
    if (messages.some(({ data }) => data.toString() === text)) return true;
  }
}

async function generation(): Promise<number> {
  return Number(await client.get('/org/rpmsg/cm40', 'Remote', 'Generation'));
}

describe('firmware killed', () => {
  const steps = [
    ['tr-data', 'dbus-daemon system'],
    ['tr-full', 'dbus-broker'],
    ['rr-read', 'dbus-daemon session'],
    ['rr-clear', 'dbus-broker'],
    ['raise-mask', 'dbus-daemon system'],
  ] as const;
  test.each(steps)('at step %s: a new life, the same objects, on %s', async (step, bus) => {
    await start(bus, `--fault crash-at:${step}:40`);
    const own = await client.open(echo);
    const neighbour = await client.open(channelPath('cm41', 0, 'echo'));
    let trips = 0;
    await until('the death', async () => {
      await trip(own, `first life ${trips++}`);
      expect(await trip(neighbour, `neighbour ${trips}`)).toBe(true);
      return (await generation()) > 1;
    });
    await until('the next life', async () => {
      return (await own.get('Connected')) === true && (await trip(own, `next life ${trips++}`));
    });
    expect(await generation()).toBe(2);
    expect(await client.get('/org/rpmsg/cm40', 'Remote', 'State')).toBe('attached');
    expect(await client.get('/org/rpmsg/cm41', 'Remote', 'Generation')).toBe(1);
    const again = await client.open(echo);
    expect(await trip(again, 'opened in the next life')).toBe(true);
  });

  test('as it rings its doorbell: the next one is attached', async () => {
    await start('dbus-daemon system', '--fault crash-at:gir:1');
    const own = await client.open(echo);
    expect(await trip(own, 'after the crash')).toBe(true);
  });

  test('at any time, five times over', async () => {
    await start('dbus-broker', '');
    const own = await client.open(echo);
    for (let life = 1; life <= 5; life++) {
      const trips = Array.from({ length: 30 }, () => own.trySend(Buffer.from('x')).catch(() => 0));
      await scene.signalFirmware('SIGKILL', 'cm40');
      await Promise.all(trips);
      await until(`life ${life + 1}`, async () => (await generation()) === life + 1);
      await until('its echo', () => trip(own, `life ${life + 1}`));
    }
  });
});

test('messages tell the life they come from', async () => {
  await start('dbus-daemon system', '');
  const own = await client.open(echo);
  const lives: number[] = [];
  const resets: unknown[] = [];
  await own.subscribe(({ generation: life }) => lives.push(life));
  const rule = { path: '/org/rpmsg/cm40', member: 'PropertiesChanged' };
  await client.bus.subscribe(rule, ({ args }) => resets.push(args[1]));
  await own.send(Buffer.from('one'));
  await until('the first answer', () => lives.length === 1);
  await scene.signalFirmware('SIGKILL', 'cm40');
  await until('the next life', async () => {
    await own.trySend(Buffer.from('two')).catch(() => undefined);
    return lives.length > 1;
  });
  expect([lives[0], lives.at(-1)]).toEqual([1, 2]);
  expect(await client.get('/org/rpmsg/cm40', 'Remote', 'ResetCount')).toBe(1);
  expect(resets.some((changed) => 'Generation' in (changed as object))).toBe(true);
});

test('a silent restart ends with Reinitialize', async () => {
  await start('dbus-daemon system', '');
  const own = await client.open(echo);
  expect(await trip(own, 'before')).toBe(true);
  await scene.signalFirmware('SIGUSR2', 'cm40');
  const remote = '/org/rpmsg/cm40';
  await client.call(remote, 'Remote', 'Reinitialize');
  await until('the next life', async () => (await generation()) === 2);
  await until('its echo', () => trip(own, 'after'));
});

test('while the core is dead its vdevs are offered at most, and nothing hangs', async () => {
  await start('dbus-broker', '');
  const own = await client.open(echo);
  const pid = await scene.firmwarePid('cm40');
  process.kill(pid, 'SIGSTOP');
  // Half of the ring is what one endpoint may have.
  for (let index = 0; index < 128; index++) await own.trySend(Buffer.from('x'));
  expect(await errorOf(own.trySend(Buffer.from('x')))).toMatch(/Error\.WouldBlock: /);
  expect(await errorOf(own.send(Buffer.from('x')))).toMatch(/Error\.TimedOut: .* 200 ms/);
  process.kill(pid, 'SIGKILL');
  await until('the next life', async () => (await generation()) === 2);
  await until('its echo', () => trip(own, 'next life'));
});
