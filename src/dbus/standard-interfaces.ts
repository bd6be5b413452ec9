// SPDX-License-Identifier: Apache-2.0
// The code of Peer, Introspectable, Properties and ObjectManager.

import { readFileSync } from 'node:fs';
import { BusError, ErrorName } from './errors.ts';
import type { ExportedInterface, Implementation } from './implementation.ts';
import { type BoundProperty, defineInterface, readProperty } from './implementation.ts';
import { Variant } from './message-model.ts';
import type { MethodCall } from './method-call.ts';
import type { PathTree, PublishedObject } from './path-tree.ts';
import { introspectableXml, objectManagerXml, peerXml, propertiesXml } from './standard-xml.ts';

/** What the standard interfaces are about: a path, and the object there if there is one. */
export interface PathTarget {
  readonly path: string;
  readonly object: PublishedObject | undefined;
  readonly tree: PathTree;
  /** Where the ObjectManager is. */
  readonly root: string;
}

export type PropertyTable = Record<string, Variant>;

const DOCTYPE =
  '<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"\n' +
  ' "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">\n';
let machineId: string | undefined;

export const peer = defineInterface<PathTarget>(peerXml, {
  methods: {
    Ping: () => undefined,
    GetMachineId: () => {
      machineId ??= readMachineId();
      return machineId;
    },
  },
});

export const introspectable = defineInterface<PathTarget>(introspectableXml, {
  methods: { Introspect: introspect },
});

export const properties = defineInterface<PathTarget>(propertiesXml, {
  methods: { Get: getProperty, Set: setProperty, GetAll: getAllProperties },
});

export const objectManager = defineInterface<PathTarget>(objectManagerXml, {
  methods: {
    GetManagedObjects: ({ tree, root }: PathTarget) => {
      const objects: Record<string, Record<string, PropertyTable>> = {};
      for (const object of tree.objects()) {
        if (isBelow(object.path, root)) objects[object.path] = managedInterfaces(object.interfaces);
      }
      return objects;
    },
  },
});

export const standardInterfaces: ReadonlyMap<string, Implementation<PathTarget>> = new Map(
  [peer, introspectable, properties, objectManager].map((one) => [one.name, one]),
);

export function isBelow(path: string, root: string): boolean {
  return path !== root && (root === '/' || path.startsWith(`${root}/`));
}

/** Interfaces and their properties as ObjectManager shows them. */
export function managedInterfaces(
  interfaces: readonly ExportedInterface[],
): Record<string, PropertyTable> {
  return Object.fromEntries(
    interfaces.map((exported) => [
      exported.implementation.name,
      propertyTable(exported, (property) => !property.omitted),
    ]),
  );
}

/** The readable properties of an interface that `wanted` picks. */
export function propertyTable(
  exported: ExportedInterface,
  wanted: (property: BoundProperty) => boolean = () => true,
): PropertyTable {
  const table: PropertyTable = {};
  for (const property of exported.implementation.properties.values()) {
    if (property.get === undefined || !wanted(property)) continue;
    table[property.name] = new Variant(property.spec.type, property.get(exported.target));
  }
  return table;
}

function introspect({ path, object, tree, root }: PathTarget): string {
  let xml = `${DOCTYPE}<node>\n${peer.definition.xml}${introspectable.definition.xml}`;
  if (object !== undefined) {
    xml += properties.definition.xml;
    for (const { implementation } of object.interfaces) xml += implementation.definition.xml;
  }
  if (path === root) xml += objectManager.definition.xml;
  for (const name of tree.children(path) ?? []) xml += ` <node name="${name}"/>\n`;
  return `${xml}</node>\n`;
}

function getProperty({ object }: PathTarget, _call: MethodCall, iface: string, name: string) {
  const [exported, property] = findProperty(object, iface, name);
  return new Variant(property.spec.type, readProperty(exported, property));
}

function setProperty(
  { object }: PathTarget,
  call: MethodCall,
  iface: string,
  name: string,
  value: Variant,
) {
  const [exported, property] = findProperty(object, iface, name);
  if (property.set === undefined) {
    throw new BusError(ErrorName.propertyReadOnly, `property ${name} is read-only`);
  }
  if (value.signature !== property.spec.type) {
    const text = `property ${name} is of type '${property.spec.type}', got '${value.signature}'`;
    throw new BusError(ErrorName.invalidArgs, text);
  }
  return property.set(exported.target, value.value as never, call as never);
}

function getAllProperties({ object }: PathTarget, _call: MethodCall, iface: string) {
  return Object.assign({}, ...selectInterfaces(object, iface).map((one) => propertyTable(one)));
}

/** An empty interface name stands for all of them. */
function selectInterfaces(object: PublishedObject | undefined, iface: string): ExportedInterface[] {
  const all = object?.interfaces ?? [];
  if (iface === '') return [...all];
  const found = all.filter(({ implementation }) => implementation.name === iface);
  if (found.length === 0 && !standardInterfaces.has(iface)) {
    throw new BusError(ErrorName.unknownInterface, `the object has no interface '${iface}'`);
  }
  return found;
}

function findProperty(
  object: PublishedObject | undefined,
  iface: string,
  name: string,
): [ExportedInterface, BoundProperty] {
  for (const exported of selectInterfaces(object, iface)) {
    const property = exported.implementation.properties.get(name);
    if (property !== undefined) return [exported, property];
  }
  throw new BusError(ErrorName.unknownProperty, `there is no property '${name}'`);
}

function readMachineId(): string {
  for (const file of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    const text = readText(file).trim();
    if (/^[0-9a-f]{32}$/.test(text)) return text;
  }
  throw new BusError(ErrorName.failed, 'this machine has no machine id; see machine-id(5)');
}

/** Empty where it cannot be read. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
