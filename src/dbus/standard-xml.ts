// SPDX-License-Identifier: Apache-2.0
// The standard interfaces every object has, as introspection shows them and dispatch checks them
// (D-Bus specification, "Standard Interfaces").

import type { ArgumentSpec, CompiledXml, MethodSpec, SignalSpec } from './interface-definition.ts';

type Args = readonly (readonly [name: string, type: string])[];

function specArgs(args: Args): ArgumentSpec[] {
  return args.map(([name, type]) => ({ name, type }));
}

function argXml(args: Args, direction: string): string {
  const attribute = direction === '' ? '' : ` direction="${direction}"`;
  return args.map(([name, type]) => `<arg name="${name}" type="${type}"${attribute}/>`).join('');
}

function define(
  name: string,
  methods: Record<string, readonly [Args, Args]>,
  signals: Record<string, Args> = {},
): CompiledXml {
  const methodSpecs: Record<string, MethodSpec> = {};
  const signalSpecs: Record<string, SignalSpec> = {};
  let xml = ` <interface name="${name}">\n`;
  for (const [member, [input, output]] of Object.entries(methods)) {
    methodSpecs[member] = { in: specArgs(input), out: specArgs(output), annotations: {} };
    xml += `  <method name="${member}">${argXml(input, 'in')}${argXml(output, 'out')}</method>\n`;
  }
  for (const [member, args] of Object.entries(signals)) {
    signalSpecs[member] = { args: specArgs(args), annotations: {} };
    xml += `  <signal name="${member}">${argXml(args, '')}</signal>\n`;
  }
  const spec = { name, methods: methodSpecs, signals: signalSpecs, properties: {} };
  return { xml: `${xml} </interface>\n`, spec };
}

export const peerXml = define('org.freedesktop.DBus.Peer', {
  Ping: [[], []],
  GetMachineId: [[], [['machine_uuid', 's']]],
});

export const introspectableXml = define('org.freedesktop.DBus.Introspectable', {
  Introspect: [[], [['xml_data', 's']]],
});

export const propertiesXml = define(
  'org.freedesktop.DBus.Properties',
  {
    Get: [
      [
        ['interface_name', 's'],
        ['property_name', 's'],
      ],
      [['value', 'v']],
    ],
    Set: [
      [
        ['interface_name', 's'],
        ['property_name', 's'],
        ['value', 'v'],
      ],
      [],
    ],
    GetAll: [[['interface_name', 's']], [['properties', 'a{sv}']]],
  },
  {
    PropertiesChanged: [
      ['interface_name', 's'],
      ['changed_properties', 'a{sv}'],
      ['invalidated_properties', 'as'],
    ],
  },
);

export const objectManagerXml = define(
  'org.freedesktop.DBus.ObjectManager',
  { GetManagedObjects: [[], [['objects', 'a{oa{sa{sv}}}']]] },
  {
    InterfacesAdded: [
      ['object_path', 'o'],
      ['interfaces', 'a{sa{sv}}'],
    ],
    InterfacesRemoved: [
      ['object_path', 'o'],
      ['interfaces', 'as'],
    ],
  },
);
