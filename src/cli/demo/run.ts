// SPDX-License-Identifier: Apache-2.0
// The demo: shows states as they change, holds dialogues, echoes without end, prints rates.

import { setTimeout as delay } from 'node:timers/promises';
import { type Bus, connectBus, Variant } from '../../dbus/index.ts';
import { pingPongChannel } from '../dialogue/scripts.ts';
import { fetchObjects, rootPath, serviceName } from '../objects.ts';
import { EchoStream } from './echo.ts';
import { pingPong } from './ping-pong.ts';
import { Screen } from './screen.ts';
import { Traffic } from './traffic.ts';

export interface DemoOptions {
  readonly address: string;
  readonly colour: boolean;
  readonly print: (line: string) => void;
  /** Ends the demo. */
  readonly signal: AbortSignal;
}

/** Runs until the signal; prints what went each way. Rejects when a message is lost or altered. */
export async function runDemo({ address, colour, print, signal }: DemoOptions): Promise<void> {
  const bus = await connectBus(address);
  const screen = new Screen(print, colour);
  const traffic = new Traffic();
  try {
    await showStates(bus, screen);
    const devices = await findDevices(bus);
    for (const { who, channels } of devices) {
      screen.state(who, `channels: ${[...channels.keys()].join(', ')}`);
    }
    const echoes = await startEchoes(bus, devices, traffic);
    const failures = echoes.map((echo) => echo.failure);
    const talking = talk(bus, devices, screen, traffic, signal);
    const showing = showRates(screen, traffic, signal);
    await Promise.race([Promise.all([talking, showing]), ...failures]);
    for (const echo of echoes) await echo.stop();
    screen.total(traffic);
  } finally {
    await bus.close();
  }
}

interface Device {
  readonly who: string;
  /** Object paths by name. */
  readonly channels: Map<string, string>;
}

async function findDevices(bus: Bus): Promise<Device[]> {
  const objects = await fetchObjects(bus);
  const devices = objects.filter(({ interfaces }) => interfaces['Device'] !== undefined);
  return devices.map(({ path: device }) => {
    const below = objects.filter(({ path }) => path.startsWith(`${device}/`));
    const channels = below.flatMap(({ path, interfaces }): [string, string][] => {
      const name = interfaces['Channel']?.['Name'];
      return name === undefined ? [] : [[String(name), path]];
    });
    return { who: device.slice(rootPath.length + 1), channels: new Map(channels) };
  });
}

async function showStates(bus: Bus, screen: Screen): Promise<void> {
  for (const { path, interfaces } of await fetchObjects(bus)) {
    const state = (interfaces['Remote'] ?? interfaces['Device'])?.['State'];
    if (state !== undefined) screen.state(path.slice(rootPath.length + 1), String(state));
  }
  const properties = 'org.freedesktop.DBus.Properties';
  const rule = { sender: serviceName, pathNamespace: rootPath, interface: properties };
  await bus.subscribe({ ...rule, member: 'PropertiesChanged' }, ({ path, args }) => {
    const state = (args[1] as Record<string, Variant>)['State'];
    if (state instanceof Variant)
      screen.state(path.slice(rootPath.length + 1), String(state.value));
  });
}

async function startEchoes(
  bus: Bus,
  devices: readonly Device[],
  traffic: Traffic,
): Promise<EchoStream[]> {
  const echoes: EchoStream[] = [];
  for (const { channels } of devices) {
    const channel = channels.get('echo');
    if (channel === undefined) continue;
    const echo = new EchoStream(traffic);
    await echo.start(bus, channel);
    echoes.push(echo);
  }
  return echoes;
}

/** One dialogue after the other, a vdev at a time, with pauses for the reader. */
async function talk(
  bus: Bus,
  devices: readonly Device[],
  screen: Screen,
  traffic: Traffic,
  signal: AbortSignal,
): Promise<void> {
  const partners = devices.filter(({ channels }) => channels.has(pingPongChannel));
  for (let turn = 0; partners.length > 0 && !signal.aborted; turn++) {
    const device = partners[turn % partners.length];
    const channel = device?.channels.get(pingPongChannel);
    if (device === undefined || channel === undefined) return;
    screen.dialogue(device.who, await pingPong(bus, channel, traffic));
    await pause(1_000, signal);
  }
}

async function showRates(screen: Screen, traffic: Traffic, signal: AbortSignal): Promise<void> {
  let before = Object.assign(new Traffic(), traffic);
  let beforeMs = performance.now();
  while (!signal.aborted) {
    await pause(1_000, signal);
    if (signal.aborted) return;
    const nowMs = performance.now();
    screen.rates('all', traffic, before, (nowMs - beforeMs) / 1000);
    before = Object.assign(new Traffic(), traffic);
    beforeMs = nowMs;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}
