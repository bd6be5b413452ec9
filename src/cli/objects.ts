// SPDX-License-Identifier: Apache-2.0
// The daemon's objects as one GetManagedObjects call shows them, put in the order of a tree.

import { type Bus, Variant } from '../dbus/index.ts';

export const serviceName = 'org.rpmsg';
export const rootPath = '/org/rpmsg';
/** Stands for an address that is not there. */
export const noAddress = 0xffffffff;

export type Properties = Readonly<Record<string, unknown>>;

export interface RemoteObject {
  readonly path: string;
  /** By interface, without its prefix: Remote, Device, Channel, Endpoint. */
  readonly interfaces: Readonly<Record<string, Properties>>;
}

function plain(properties: Readonly<Record<string, unknown>>): Properties {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [
      name,
      value instanceof Variant ? value.value : value,
    ]),
  );
}

type Managed = Readonly<Record<string, Readonly<Record<string, Record<string, unknown>>>>>;

/** Every object with at least one of our interfaces, parents before children. */
export async function fetchObjects(bus: Bus): Promise<RemoteObject[]> {
  const manager = 'org.freedesktop.DBus.ObjectManager';
  const [managed] = await bus.call(serviceName, rootPath, manager, 'GetManagedObjects');
  const objects = Object.entries(managed as Managed).map(([path, interfaces]) => {
    const ours = Object.entries(interfaces).filter(([name]) => name.startsWith(`${serviceName}.`));
    const short = ours.map(([name, properties]) => {
      return [name.slice(serviceName.length + 1), plain(properties)] as const;
    });
    return { path, interfaces: Object.fromEntries(short) };
  });
  return objects
    .filter(({ interfaces }) => Object.keys(interfaces).length > 0)
    .sort((a, b) => a.path.localeCompare(b.path, 'en', { numeric: true }));
}
