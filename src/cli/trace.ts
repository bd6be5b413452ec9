// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl trace`: what a remote writes into the trace buffer of its resource table.

import { setTimeout as sleep } from 'node:timers/promises';
import { TextDecoder } from 'node:util';
import type { Bus } from '../dbus/index.ts';
import { CliStatus, RpmsgctlError } from './errors.ts';
import { fetchObjects, type RemoteObject, serviceName } from './objects.ts';
import { usage } from './options.ts';
import type { CommandContext, Verb } from './verb.ts';

/** How often --follow looks: nobody tells that a remote has written. */
const lookMs = 100;
/** As much as the daemon reads at once. */
const pieceBytes = 65_536;

export const trace: Verb = {
  name: 'trace',
  usage: '[REMOTE]',
  summary: 'show what a remote has written into its trace buffer',
  takes: 'remote',
  calls: [
    'org.rpmsg.Remote.ReadTrace',
    'org.freedesktop.DBus.Properties.Get (org.rpmsg.Remote Generation)',
    'org.freedesktop.DBus.ObjectManager.GetManagedObjects',
  ],
  options: [{ name: 'follow', summary: 'go on as the remote writes, until interrupted' }],
  details: `REMOTE may be left out where there is only one. With --follow a remote that was reset is
followed from the beginning of its buffer. Bytes that are no text are shown as \\u escapes.
`,
  run: async (context: CommandContext) => {
    if (context.args.length > 1) {
      throw usage(`trace takes one remote, so ${JSON.stringify(context.args[1])} means nothing`);
    }
    const bus = await context.bus();
    const path = await remotePath(bus, context.args[0]);
    const decoder = new TextDecoder();
    const view = { context, bus, path, decoder };
    if (context.options['follow'] !== true) {
      await showFrom(0, view);
      return;
    }
    const interruption = context.interruption();
    let generation = await generationOf(bus, path);
    for (let offset = 0; !interruption.aborted; await pause(interruption)) {
      const now = await generationOf(bus, path);
      if (now !== generation) offset = 0;
      generation = now;
      offset = await showFrom(offset, view);
    }
  },
};

/** Until it is time to look again, or the end. */
async function pause(interruption: AbortSignal): Promise<void> {
  await sleep(lookMs, undefined, { signal: interruption }).catch(() => {});
}

async function remotePath(bus: Bus, name: string | undefined): Promise<string> {
  const remotes = (await fetchObjects(bus)).filter(({ interfaces }) => interfaces['Remote']);
  const nameOf = ({ interfaces }: RemoteObject) => String(interfaces['Remote']?.['Name']);
  const names = remotes.map(nameOf).join(', ');
  if (remotes.length === 0) throw new RpmsgctlError(CliStatus.failure, 'no remote is configured');
  if (name === undefined && remotes.length > 1) throw usage(`which remote? there are ${names}`);
  const found = remotes.find((remote) => name === undefined || nameOf(remote) === name);
  if (found === undefined) {
    throw usage(`there is no remote ${JSON.stringify(name)}; there is ${names}`);
  }
  return found.path;
}

async function generationOf(bus: Bus, path: string): Promise<unknown> {
  return await bus.getProperty(serviceName, path, `${serviceName}.Remote`, 'Generation');
}

interface View {
  readonly context: CommandContext;
  readonly bus: Bus;
  readonly path: string;
  /** Keeps the first bytes of a character whose last ones come later. */
  readonly decoder: TextDecoder;
}

/** Prints what is there from `offset` on; resolves with where that ended. */
async function showFrom(offset: number, { context, bus, path, decoder }: View): Promise<number> {
  for (let at = offset; ; ) {
    const args = [BigInt(at), pieceBytes];
    const remote = `${serviceName}.Remote`;
    const [data, next] = await bus.call(serviceName, path, remote, 'ReadTrace', 'tu', args);
    const end = Number(next);
    const bytes = data as Buffer;
    show(context, end - bytes.length, decoder.decode(bytes, { stream: true }));
    if (bytes.length < pieceBytes) return end;
    at = end;
  }
}

function show(context: CommandContext, offset: number, text: string): void {
  if (text === '') return;
  if (context.json) context.print(`${JSON.stringify({ offset, text })}\n`);
  else context.print(printable(text));
}

/** The remote chooses these bytes; a terminal must not obey them. */
function printable(text: string): string {
  const lines = text.replaceAll('\r\n', '\n');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return lines.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (code) => {
    return `\\u${code.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
