// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl version`: of this program, and of the daemon if there is one.

import { type Bus, BusError } from '../dbus/index.ts';
import { version as ownVersion } from '../util/version.ts';
import { CliStatus, explain } from './errors.ts';
import { rootPath, serviceName } from './objects.ts';
import type { CommandContext, Verb } from './verb.ts';

export const version: Verb = {
  name: 'version',
  usage: '',
  summary: 'show the versions of rpmsgctl and of the daemon',
  calls: ['org.freedesktop.DBus.Properties.Get (org.rpmsg.Manager Version)'],
  run: async (context: CommandContext) => {
    const daemon = await daemonVersion(context);
    if (context.json) {
      context.print(`${JSON.stringify({ rpmsgctl: ownVersion, rpmsgd: daemon ?? null })}\n`);
      return;
    }
    context.print(`rpmsgctl ${ownVersion}\nrpmsgd ${daemon ?? 'is not running on this bus'}\n`);
  },
};

/** Undefined when no daemon is there, which is no failure of this verb. */
async function daemonVersion(context: CommandContext): Promise<string | undefined> {
  let bus: Bus;
  try {
    bus = await context.bus();
  } catch {
    return undefined;
  }
  try {
    return String(
      await bus.getProperty(serviceName, rootPath, `${serviceName}.Manager`, 'Version'),
    );
  } catch (error) {
    if (error instanceof BusError && explain(error).status === CliStatus.unavailable)
      return undefined;
    throw error;
  }
}
