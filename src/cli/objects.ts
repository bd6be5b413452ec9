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

export type Kind = 'manager' | 'remote' | 'vdev' | 'channel' | 'endpoint';

/** A channel's object is also its shared endpoint. */
export function kindOf({ interfaces }: RemoteObject): Kind {
  if (interfaces['Remote']) return 'remote';
  if (interfaces['Device']) return 'vdev';
  if (interfaces['Channel']) return 'channel';
  return interfaces['Endpoint'] ? 'endpoint' : 'manager';
}

/** What its remote or client calls it; of a vdev what its path does. Not safe for a terminal. */
export function nameOf(object: RemoteObject): string {
  const { Remote, Channel, Endpoint } = object.interfaces;
  return String((Remote ?? Channel ?? Endpoint)?.['Name'] ?? elementOf(object.path));
}

/** The last element of a path. */
export function elementOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A path below the root, as lists and events show it: "cm40/vdev0/endpoint_3". */
export function shortPath(path: string): string {
  return path === rootPath ? 'rpmsgd' : path.slice(rootPath.length + 1);
}

/** The first elements of a path: those of its remote and of its vdev, as far as it has them. */
export function placeOf(path: string): { remote: string | undefined; vdev: number | undefined } {
  const [remote, device] = path.slice(rootPath.length + 1).split('/');
  const index = /^vdev(\d+)$/.exec(device ?? '')?.[1];
  const hasRemote = path !== rootPath && remote !== undefined;
  return {
    remote: hasRemote ? remote : undefined,
    vdev: index === undefined ? undefined : Number(index),
  };
}

/** Without variants. */
export function plain(properties: Readonly<Record<string, unknown>>): Properties {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [
      name,
      value instanceof Variant ? value.value : value,
    ]),
  );
}

type Interfaces = Readonly<Record<string, Record<string, unknown>>>;

/** Undefined for an object without any of our interfaces. */
export function objectOf(path: string, interfaces: Interfaces): RemoteObject | undefined {
  const ours = Object.entries(interfaces).filter(([name]) => name.startsWith(`${serviceName}.`));
  if (ours.length === 0) return undefined;
  const short = ours.map(([name, properties]) => {
    return [name.slice(serviceName.length + 1), plain(properties)] as const;
  });
  return { path, interfaces: Object.fromEntries(short) };
}

/** Every object with at least one of our interfaces, parents before children. */
export async function fetchObjects(bus: Bus): Promise<RemoteObject[]> {
  const manager = 'org.freedesktop.DBus.ObjectManager';
  const [managed] = await bus.call(serviceName, rootPath, manager, 'GetManagedObjects');
  return Object.entries(managed as Readonly<Record<string, Interfaces>>)
    .flatMap(([path, interfaces]) => objectOf(path, interfaces) ?? [])
    .sort(byPath);
}

/** Parents before children, vdev2 before vdev10. */
export function byPath(a: RemoteObject, b: RemoteObject): number {
  return a.path.localeCompare(b.path, 'en', { numeric: true });
}
