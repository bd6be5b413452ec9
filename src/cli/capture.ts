// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl capture`: everybody's messages into a file that Wireshark reads.

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type Bus, ReceivedFd, Variant } from '../dbus/index.ts';
import { BlockReader } from './capture/blocks.ts';
import { CliStatus, RpmsgctlError } from './errors.ts';
import { showProgress } from './live/progress.ts';
import { rootPath, serviceName } from './objects.ts';
import { numberOption, usage } from './options.ts';
import type { CommandContext, Verb } from './verb.ts';

const most = 0xffffffff;
/** The daemon hands over within 10 ms what has passed: so long after the end it is waited for. */
const lastLookMs = 50;

export const capture: Verb = {
  name: 'capture',
  usage: 'FILE',
  summary: "write everybody's messages into a file that Wireshark reads",
  calls: ['org.rpmsg.Manager.Capture'],
  options: [
    { name: 'remote', value: 'NAME', summary: 'of one remote; default: all' },
    { name: 'vdev', value: 'INDEX', summary: 'of the vdevs with this index; default: all' },
    {
      name: 'snaplen',
      value: 'BYTES',
      summary: 'keep so much of each message, its 16-byte header included: 16 to\n3584 (default)',
    },
    { name: 'count', value: 'COUNT', summary: 'end after so many messages' },
    { name: 'duration', value: 'SECONDS', summary: 'end after so long' },
  ],
  wantsDescriptors: true,
  details: `FILE is a pcapng file; - is standard output, as in rpmsgctl capture - | wireshark -k -i -. Ends with
Ctrl-C, and with status 1 when the daemon ends. Says then how many messages were captured, and how
many were left out since this program did not keep up. For root and members of group rpmsg-admin.
`,
  run: async (context: CommandContext) => {
    const wanted = readWanted(context);
    const interruption = context.interruption();
    const bus = await context.bus();
    if (!bus.canPassFds) {
      throw new RpmsgctlError(
        CliStatus.failure,
        'this bus passes no descriptors, which a capture is',
      );
    }
    const source = await openCapture(bus, wanted);
    const output = wanted.file === '-' ? context.stdout : createWriteStream(wanted.file);
    const reader = new BlockReader();
    const stopProgress =
      output === context.stdout
        ? () => {}
        : showProgress(context, () => countText(reader, ' so far'));
    try {
      await copy(source, output, reader, { ...wanted, interruption });
    } finally {
      stopProgress();
      source.destroy();
    }
    if (output !== context.stdout) await ended(output);
    tellSummary(context, wanted.file, reader);
  },
};

/** Node 18 takes what was ended before it is asked for finished. */
async function ended(output: Writable): Promise<void> {
  const isFinished = finished(output);
  output.end();
  await isFinished;
}

interface Wanted {
  readonly file: string;
  readonly options: Readonly<Record<string, Variant>>;
  readonly count: number;
  readonly durationMs: number | undefined;
}

function readWanted({ args, options, json, stdout }: CommandContext): Wanted {
  const [file, ...rest] = args;
  if (file === undefined || rest.length > 0) throw usage('capture takes one FILE, or -');
  if (file === '-' && json) throw usage('--json needs a FILE: the capture is on standard output');
  if (file === '-' && stdout.isTTY === true) {
    throw usage('a capture is no text for a terminal: name a FILE, or pipe it into a program');
  }
  const vdev = numberOption(options, 'vdev', 0, 7);
  const snaplen = numberOption(options, 'snaplen', 16, 3584);
  const seconds = numberOption(options, 'duration', 1, 2_000_000);
  return {
    file,
    options: {
      ...(options['remote'] === undefined ? {} : { remote: new Variant('s', options['remote']) }),
      ...(vdev === undefined ? {} : { vdev: new Variant('u', vdev) }),
      ...(snaplen === undefined ? {} : { snaplen: new Variant('u', snaplen) }),
    },
    count: numberOption(options, 'count', 1, most) ?? Number.POSITIVE_INFINITY,
    durationMs: seconds === undefined ? undefined : seconds * 1000,
  };
}

/** @throws BusError as Manager.Capture */
async function openCapture(bus: Bus, { options }: Wanted): Promise<Socket> {
  const iface = `${serviceName}.Manager`;
  const call = bus.call(serviceName, rootPath, iface, 'Capture', 'a{sv}', [options], {
    wantFds: true,
  });
  const [file] = await call;
  if (file instanceof ReceivedFd) return new Socket({ fd: file.take(), writable: false });
  throw new RpmsgctlError(CliStatus.failure, 'the daemon answered without a descriptor');
}

interface End {
  readonly count: number;
  readonly durationMs: number | undefined;
  readonly interruption: AbortSignal;
}

/** Whole blocks until an end that was asked for, or the output is gone. @throws RpmsgctlError else */
async function copy(source: Socket, output: Writable, reader: BlockReader, end: End) {
  const ending = new Ending(source, output, end);
  try {
    for await (const piece of source as AsyncIterable<Buffer>) {
      for (const { bytes } of reader.push(piece)) {
        if (!output.write(bytes)) await ending.roomIn(output);
        if (reader.messages >= end.count) return;
      }
    }
  } catch (error) {
    if (!ending.hasCome) throw error;
  } finally {
    ending.close();
  }
  if (ending.error !== undefined) throw ending.error;
  if (ending.hasCome) return;
  throw new RpmsgctlError(CliStatus.failure, 'the daemon has ended, and the capture with it');
}

/** Ends the reading of a source, once somebody asks for it or its output is gone. */
class Ending {
  /** What the output failed by. Whoever reads our output has heard enough: that is no failure. */
  error: Error | undefined;
  hasCome = false;
  readonly #source: Socket;
  readonly #end = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(source: Socket, output: Writable, { durationMs, interruption }: End) {
    this.#source = source;
    output.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') this.error = error;
      this.#come();
    });
    if (durationMs !== undefined) this.#in(durationMs + lastLookMs);
    const soon = () => this.#in(lastLookMs);
    if (interruption.aborted) soon();
    else interruption.addEventListener('abort', soon, { once: true });
  }

  /** Rejects once the end has come: whoever does not read does not keep us. */
  async roomIn(output: Writable): Promise<void> {
    await once(output, 'drain', { signal: this.#end.signal });
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #in(delayMs: number): void {
    this.#timers.push(setTimeout(() => this.#come(), delayMs));
  }

  #come(): void {
    this.hasCome = true;
    this.#end.abort();
    this.#source.destroy();
  }
}

function tellSummary(context: CommandContext, file: string, reader: BlockReader): void {
  const { messages, dropped } = reader;
  if (context.json) context.print(`${JSON.stringify({ file, messages, dropped })}\n`);
  else context.complain(countText(reader));
}

function countText({ messages, dropped }: BlockReader, soFar = ''): string {
  return `${messages} messages captured${soFar}, ${dropped} left out`;
}
