// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl status`: everything that is known of an object, in words.

import type { Bus } from '../dbus/index.ts';
import { jsonDocument } from './json.ts';
import {
  fetchObjects,
  kindOf,
  type Properties,
  plain,
  type RemoteObject,
  rootPath,
  serviceName,
} from './objects.ts';
import { usage } from './options.ts';
import { resolve } from './resolve.ts';
import { describeObject } from './status/describe.ts';
import { isEmpty, onlyTarget, targetOptions } from './target.ts';
import type { CommandContext, Verb } from './verb.ts';

export const status: Verb = {
  name: 'status',
  usage: '[REMOTE[/VDEV] | [REMOTE/VDEV] NAME | PATH]',
  summary: 'show everything about the daemon or one object',
  takes: 'object',
  calls: [
    'org.freedesktop.DBus.Properties.GetAll (org.rpmsg.Manager) and Get (Stats)',
    'org.freedesktop.DBus.ObjectManager.GetManagedObjects',
  ],
  options: targetOptions,
  details: `Without an argument of the daemon. Counters are those since the daemon started, or the endpoint was
made; those that stand for trouble are shown only if they are not 0.
`,
  run: async (context: CommandContext) => {
    const target = onlyTarget(context, false);
    if (target.vdev !== undefined && target.remote === undefined && target.name === undefined) {
      throw usage('which remote? --vdev alone names no object');
    }
    const bus = await context.bus();
    const objects = await fetchObjects(bus);
    const kinds = ['remote', 'channel', 'endpoint', 'vdev', 'manager'] as const;
    const named = isEmpty(target) ? { path: rootPath } : target;
    const all = [await fetchManager(bus), ...objects];
    const object = await complete(bus, resolve(all, named, kinds));
    if (context.json) context.print(jsonDocument({ kind: kindOf(object), ...object }));
    else context.print(describeObject(object, objects, context.terminal));
  },
};

/** GetManagedObjects tells of what is below the object that it is called on. */
async function fetchManager(bus: Bus): Promise<RemoteObject> {
  const properties = 'org.freedesktop.DBus.Properties';
  const args = [`${serviceName}.Manager`];
  const [all] = await bus.call(serviceName, rootPath, properties, 'GetAll', 's', args);
  return { path: rootPath, interfaces: { Manager: plain(all as Record<string, unknown>) } };
}

/** With what GetManagedObjects leaves out. */
async function complete(bus: Bus, object: RemoteObject): Promise<RemoteObject> {
  const interfaces: Record<string, Properties> = { ...object.interfaces };
  for (const [name, properties] of Object.entries(object.interfaces)) {
    const iface = `${serviceName}.${name}`;
    const lacksStats = name === 'Device' || name === 'Endpoint';
    if (!lacksStats) continue;
    const stats = await bus.getProperty(serviceName, object.path, iface, 'Stats');
    interfaces[name] = { ...properties, Stats: stats };
  }
  return { path: object.path, interfaces };
}
