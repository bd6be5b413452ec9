// SPDX-License-Identifier: Apache-2.0
// Waits for what a daemon publishes, by its signals; never by sleeping.

import { type Bus, connectBus } from '../../dbus/index.ts';
import { fetchObjects, rootPath, serviceName } from '../objects.ts';

const busName = 'org.freedesktop.DBus';

async function hasOwner(bus: Bus): Promise<boolean> {
  const args = [serviceName];
  const [owned] = await bus.call(busName, '/', busName, 'NameHasOwner', 's', args);
  return owned === true;
}

/** Resolves when somebody owns org.rpmsg. */
export async function waitForName(address: string, timeoutMs = 20_000): Promise<void> {
  const bus = await connectBus(address);
  try {
    const rule = { sender: busName, interface: busName, member: 'NameOwnerChanged' };
    await until(
      bus,
      [rule],
      () => hasOwner(bus),
      timeoutMs,
      () => `nobody owned ${serviceName}`,
    );
  } finally {
    await bus.close();
  }
}

/** What is still to come, as sentences; empty when everything is there. */
async function missing(
  bus: Bus,
  vdevs: ReadonlyMap<string, number>,
  channels: readonly string[],
): Promise<string[]> {
  const objects = new Map(
    (await fetchObjects(bus)).map(({ path, interfaces }) => [path, interfaces]),
  );
  const names = new Map<string, Set<unknown>>();
  for (const [path, { Channel }] of objects) {
    if (Channel === undefined) continue;
    const device = path.slice(0, path.lastIndexOf('/'));
    names.set(device, (names.get(device) ?? new Set()).add(Channel['Name']));
  }
  return [...vdevs].flatMap(([remote, count]) =>
    Array.from({ length: count }, (_, index) => `${rootPath}/${remote}/vdev${index}`).flatMap(
      (device) => {
        const state = objects.get(device)?.['Device']?.['State'] ?? 'absent';
        if (state !== 'up') return [`${device} is ${state}`];
        const absent = channels.filter((name) => names.get(device)?.has(name) !== true);
        return absent.map((name) => `${device} has no channel ${name}`);
      },
    ),
  );
}

/** Resolves when every vdev (remote's name and their number) is up and has all these channels. */
export async function waitForChannels(
  address: string,
  vdevs: ReadonlyMap<string, number>,
  channels: readonly string[],
  timeoutMs: number,
): Promise<void> {
  const bus = await connectBus(address);
  let lacking: string[] = [];
  const complete = async () => {
    lacking = await missing(bus, vdevs, channels);
    return lacking.length === 0;
  };
  try {
    const rules = [{ sender: serviceName, pathNamespace: rootPath }];
    await until(bus, rules, complete, timeoutMs, () => lacking.join('; '));
  } finally {
    await bus.close();
  }
}

type Rule = Parameters<Bus['subscribe']>[0];

/** Checks at first and again after every signal, one check at a time, until `met` holds. */
async function until(
  bus: Bus,
  rules: readonly Rule[],
  met: () => Promise<boolean>,
  timeoutMs: number,
  problem: () => string,
): Promise<void> {
  let news = true;
  let wake: () => void = () => {};
  let expired = false;
  const happened = () => {
    news = true;
    wake();
  };
  const timer = setTimeout(() => {
    expired = true;
    happened();
  }, timeoutMs);
  try {
    for (const rule of rules) await bus.subscribe(rule, happened);
    for (;;) {
      if (!news) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      news = false;
      if (await met()) return;
      if (expired) throw new Error(`after ${timeoutMs} ms: ${problem()}`);
    }
  } finally {
    clearTimeout(timer);
  }
}
