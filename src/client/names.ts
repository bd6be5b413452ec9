// SPDX-License-Identifier: Apache-2.0
// Names on the bus, and objects as they are there.

import { type Bus, BusError, Variant } from '../dbus/index.ts';

export const serviceName = 'org.rpmsg';
export const rootPath = '/org/rpmsg';
export const objectManager = 'org.freedesktop.DBus.ObjectManager';
/** Stands for an address that is not there. */
export const noAddress = 0xffffffff;

export type Properties = Readonly<Record<string, Variant>>;
/** By path and interface. */
export type Objects = Readonly<Record<string, Readonly<Record<string, Properties>>>>;

export async function fetchObjects(bus: Bus): Promise<Objects> {
  const [objects] = await bus.call(serviceName, rootPath, objectManager, 'GetManagedObjects');
  return objects as Objects;
}

/** A property of an interface of ours, given without that prefix; undefined if it is not there. */
export function propertyOf(
  objects: Objects,
  path: string,
  iface: string,
  property: string,
): unknown {
  return objects[path]?.[`${serviceName}.${iface}`]?.[property]?.value;
}

/** An error of the daemon's own, by its name without the prefix. */
export function rpmsgError(name: string, message: string): BusError {
  return new BusError(`${serviceName}.Error.${name}`, message);
}

/** An a{sv}: each value with its D-Bus type; what is undefined is left out. */
export function variants(
  options: Readonly<Record<string, readonly [type: string, value: unknown]>>,
): Record<string, Variant> {
  const given = Object.entries(options).filter(([, [, value]]) => value !== undefined);
  return Object.fromEntries(given.map(([key, [type, value]]) => [key, new Variant(type, value)]));
}
