// SPDX-License-Identifier: Apache-2.0
// A small service with one object of each kind of member the export layer serves, for the tests of
// the bus layer.

import { compileInterfaceXml } from '../../packaging/dev/interface-xml.mjs';
import {
  type Bus,
  BusError,
  type BusOptions,
  ClientRegistry,
  connectBus,
  defineInterface,
  type MethodCall,
  ObjectTree,
} from '../../src/dbus/index.ts';

export const SERVICE = 'org.rpmsg.Test';
export const ROOT = '/org/rpmsg';
export const OBJECT = '/org/rpmsg/box/thing';
export const IFACE = 'org.rpmsg.Test.Thing';

const XML = `<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
<node>
  <!-- What stands in comments is for readers of the file. -->
  <interface name="${IFACE}">
    <method name="Echo">
      <arg name="text" type="s" direction="in"/>
      <arg name="same" type="s" direction="out"/>
    </method>
    <method name="Pair"><arg name="a" type="u" direction="out"/><arg name="b" type="t" direction="out"/></method>
    <method name="Any"><arg name="value" type="v"/><arg name="again" type="v" direction="out"/></method>
    <method name="Send"><arg name="data" type="ay"/></method>
    <method name="SendBatch"><arg name="data" type="aay"/><arg name="count" type="u" direction="out"/></method>
    <method name="Wait"/>
    <method name="Release"/>
    <method name="Throw"/>
    <method name="Refuse"/>
    <method name="Wrong"><arg name="number" type="u" direction="out"/></method>
    <method name="Change"><arg name="value" type="u"/></method>
    <method name="Descriptor"><arg name="fd" type="h" direction="out"/></method>
    <property name="Level" type="u" access="read"/>
    <property name="Fixed" type="s" access="read">
      <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="const"/>
    </property>
    <property name="Stats" type="a{st}" access="read">
      <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="false"/>
      <annotation name="org.rpmsg.OmitFromManagedObjects" value="true"/>
    </property>
    <property name="Large" type="ay" access="read">
      <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="invalidates"/>
      <annotation name="org.rpmsg.OmitFromManagedObjects" value="true"/>
    </property>
    <property name="Knob" type="u" access="readwrite"/>
    <property name="Secret" type="s" access="write"/>
    <signal name="Happened"><arg name="what" type="s"/></signal>
  </interface>
</node>`;

export class Thing {
  level = 1;
  knob = 0;
  secret = '';
  sent: Buffer[] = [];
  waiting: MethodCall[] = [];
  vanished = 0;
  tree: ObjectTree | undefined;
  openDescriptor: () => number = () => -1;
}

export const thingXml = compileInterfaceXml(XML, 'thing.xml');

export const thingInterface = defineInterface<Thing>(thingXml, {
  methods: {
    Echo: (_thing, _call, text: string) => text,
    Pair: () => [7, 2n ** 63n],
    Any: (_thing, _call, value: unknown) => value,
    SendBatch: (_thing, _call, data: Buffer[]) => data.length,
    Wait: (thing, call) =>
      new Promise<void>((resolve) => {
        thing.waiting.push(call);
        call.onVanish(() => {
          thing.vanished++;
          resolve();
        });
      }),
    Release: (thing) => {
      for (const call of thing.waiting.splice(0)) call.replyEmpty();
    },
    Throw: () => {
      throw new Error(`secret of ${import.meta.url}`);
    },
    Refuse: () => Promise.reject(new BusError('org.rpmsg.Error.Busy', 'taken by :1.9')),
    Wrong: () => 'not a number',
    Change: (thing, _call, value: number) => {
      thing.level = value;
      thing.tree?.changed(OBJECT, IFACE, 'Level');
    },
    Descriptor: (thing) => thing.openDescriptor(),
  },
  rawMethods: {
    Send: (thing, call, payload) => {
      thing.sent.push(Buffer.from(payload));
      call.replyEmpty();
    },
  },
  properties: {
    Level: (thing) => thing.level,
    Fixed: () => 'for ever',
    Stats: () => ({ messages: 5n }),
    Large: () => Buffer.alloc(10),
    Knob: (thing) => thing.knob,
  },
  setters: {
    Knob: (thing, value: number) => {
      thing.knob = value;
    },
    Secret: (thing, value: string) => {
      thing.secret = value;
    },
  },
  maxBodyBytes: { SendBatch: 1024 * 1024 },
});

export interface Service {
  readonly bus: Bus;
  readonly clients: ClientRegistry;
  readonly tree: ObjectTree;
  readonly thing: Thing;
  /** What went to the log. */
  readonly logged: { details: object; message: string }[];
}

/** Serves one Thing on a bus under the name SERVICE. */
export async function startService(address: string, options: BusOptions = {}): Promise<Service> {
  const logged: Service['logged'] = [];
  const log = (details: object, message: string) => void logged.push({ details, message });
  const logger = { warn: log, error: log };
  const bus = await connectBus(address, { logger, ...options });
  return await serve(bus, logger, logged);
}

async function serve(
  bus: Bus,
  logger: NonNullable<BusOptions['logger']>,
  logged: Service['logged'],
): Promise<Service> {
  const clients = new ClientRegistry(bus);
  await clients.start();
  const tree = new ObjectTree(bus, { root: ROOT, clients, logger });
  const thing = new Thing();
  thing.tree = tree;
  tree.publish(ROOT, []);
  tree.publish(OBJECT, [thingInterface.of(thing)]);
  await bus.acquireName(SERVICE);
  tree.announce();
  return { bus, clients, tree, thing, logged };
}
