// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl monitor`: what happens, as it happens.

import { CliStatus, RpmsgctlError } from './errors.ts';
import { jsonLine } from './json.ts';
import { type Event, watchEvents } from './live/events.ts';
import { LiveObjects } from './live/objects.ts';
import { overhear } from './live/overheard.ts';
import { untilEnd } from './live/until.ts';
import { kindOf, type RemoteObject, rootPath } from './objects.ts';
import { resolve } from './resolve.ts';
import { isEmpty, onlyTarget, targetOptions } from './target.ts';
import type { Colour } from './terminal.ts';
import type { CommandContext, Verb } from './verb.ts';

export const monitor: Verb = {
  name: 'monitor',
  usage: '[REMOTE[/VDEV] | [REMOTE/VDEV] NAME | PATH]',
  summary: 'show what happens, until interrupted',
  takes: 'object',
  calls: [
    'org.freedesktop.DBus.ObjectManager.GetManagedObjects, and every signal of org.rpmsg',
    'org.rpmsg.Endpoint.Subscribe (--messages)',
  ],
  options: [
    ...targetOptions,
    {
      name: 'messages',
      summary: 'also what shared endpoints receive, which Receive then does not',
    },
  ],
  details: `A line an event: states, resets, channels that are announced and withdrawn, endpoints that come and
go; with an argument of that object and of what is below it. With --messages it subscribes to every
endpoint that is nobody's own: who calls Receive there gets nothing meanwhile. Goes on when the daemon
is stopped. Ctrl-C ends it with status 0 and a count.
`,
  run: async (context: CommandContext) => {
    const target = onlyTarget(context, false);
    const interruption = context.interruption();
    const bus = await context.bus();
    const live = await LiveObjects.open(bus);
    const kinds = ['remote', 'vdev', 'channel', 'endpoint', 'manager'] as const;
    if (!live.isThere && !isEmpty(target)) throw new RpmsgctlError(CliStatus.unavailable, noneText);
    const scope = isEmpty(target) ? rootPath : resolve(live.all, target, kinds).path;
    const isOf = (path: string) => path === scope || path.startsWith(`${scope}/`);
    let events = 0;
    const happened = (event: Event) => {
      if (!isOf(event.object) && !event.event.startsWith('daemon-')) return;
      events++;
      print(context, event);
    };
    watchEvents(live, happened);
    const failed = new Promise<never>((_, reject) => live.on('error', reject));
    // It may come before somebody waits for it.
    failed.catch(() => {});
    if (context.options['messages'] === true) {
      const inScope = ({ path }: RemoteObject) => isOf(path);
      await overhear(bus, live, inScope, happened, context.complain);
    }
    context.complain(live.isThere ? `watching ${counted(live, isOf)}` : absentText);
    await untilEnd(context, bus, interruption, failed);
    context.complain(events === 1 ? '1 event' : `${events} events`);
  },
};

const absentText = 'rpmsgd is not running on this bus: waiting for it';
const noneText = 'rpmsgd is not running on this bus, so nothing can be named';

function counted(live: LiveObjects, isOf: (path: string) => boolean): string {
  const objects = live.all.filter((object) => kindOf(object) !== 'manager' && isOf(object.path));
  return objects.length === 1 ? '1 object' : `${objects.length} objects`;
}

const colours: Readonly<Record<string, Colour>> = {
  reset: 'yellow',
  faulted: 'red',
  'daemon-gone': 'red',
  overrun: 'red',
  message: 'cyan',
};

function print({ json, terminal, print: write }: CommandContext, event: Event): void {
  const time = new Date();
  if (json) {
    const { event: name, object, details } = event;
    write(jsonLine({ time: time.toISOString(), event: name, object, ...details }));
    return;
  }
  const clock = time.toTimeString().slice(0, 8);
  const ms = String(time.getMilliseconds()).padStart(3, '0');
  const stamp = `${clock}.${ms}`;
  const line = terminal.fit(`${stamp}  ${event.text}`);
  const colour = colours[event.event];
  const rest = line.slice(stamp.length);
  write(`${terminal.paint('grey', stamp)}${colour ? terminal.paint(colour, rest) : rest}\n`);
}
