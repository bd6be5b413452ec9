// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl reinitialize`: a new life with fresh rings, for a remote that restarted without a word.

import type { Bus } from '../dbus/index.ts';
import { jsonDocument } from './json.ts';
import { fetchObjects, nameOf, serviceName } from './objects.ts';
import { resolve } from './resolve.ts';
import { onlyTarget, targetOptions } from './target.ts';
import type { CommandContext, Verb } from './verb.ts';

const remoteInterface = `${serviceName}.Remote`;

export const reinitialize: Verb = {
  name: 'reinitialize',
  usage: '[REMOTE]',
  summary: 'begin a new life of a remote with fresh rings',
  takes: 'remote',
  calls: [
    'org.rpmsg.Remote.Reinitialize',
    'org.freedesktop.DBus.Properties.Get (org.rpmsg.Remote Generation)',
    'org.freedesktop.DBus.ObjectManager.GetManagedObjects',
  ],
  options: targetOptions.filter(({ name }) => name === 'remote'),
  details: `For a remote that was restarted without telling anyone, and for root and members of group
rpmsg-admin. Safe only while the remote's RPMsg stack waits for its link: let the firmware initialise
the stack again first. REMOTE may be left out where there is only one.
`,
  run: async (context: CommandContext) => {
    const target = onlyTarget(context);
    const bus = await context.bus();
    const remote = resolve(await fetchObjects(bus), target, ['remote']);
    if (context.terminal.isTerminal) {
      context.complain(`${nameOf(remote)} gets fresh rings: waiting until it uses one`);
    }
    await bus.call(serviceName, remote.path, remoteInterface, 'Reinitialize');
    const generation = await generationOf(bus, remote.path);
    if (context.json) context.print(jsonDocument({ remote: nameOf(remote), generation }));
    else context.print(`${nameOf(remote)} is in generation ${generation}\n`);
  },
};

async function generationOf(bus: Bus, path: string): Promise<number> {
  return Number(await bus.getProperty(serviceName, path, remoteInterface, 'Generation'));
}
