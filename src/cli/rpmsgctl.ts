// SPDX-License-Identifier: Apache-2.0
// The dispatcher of rpmsgctl: options, verb, bus, exit status.

import { parseArgs } from 'node:util';
import { type Bus, connectBus } from '../dbus/index.ts';
import { nearest } from '../util/nearest.ts';
import { CliStatus, explain, RpmsgctlError } from './errors.ts';
import { helpOf, helpOfAll } from './help.ts';
import type { CommandContext, Verb } from './verb.ts';

export interface Output {
  print(text: string): void;
  complain(text: string): void;
}

/** Runs one command line; resolves with the exit status and never rejects. */
export async function rpmsgctl(
  args: readonly string[],
  verbs: readonly Verb[],
  output: Output,
): Promise<number> {
  const connection = new Connection();
  try {
    await dispatch(args, verbs, output, connection);
    return CliStatus.ok;
  } catch (error) {
    const { status, message } = explain(error);
    output.complain(`rpmsgctl: ${message}\n`);
    return status;
  } finally {
    await connection.close();
  }
}

async function dispatch(
  args: readonly string[],
  verbs: readonly Verb[],
  output: Output,
  connection: Connection,
): Promise<void> {
  const { values, positionals } = parse(args);
  const [name, ...rest] = positionals;
  const verb = name === undefined ? undefined : findVerb(name, verbs);
  if (values.help === true) return output.print(verb ? helpOf(verb) : helpOfAll(verbs));
  if (verb === undefined) throw usage('a verb is missing; see rpmsgctl --help');
  if (rest.length > 0 && verb.usage === '') {
    throw usage(`${verb.name} takes no argument, so ${JSON.stringify(rest[0])} means nothing`);
  }
  if (values.socket !== undefined && verb.usesSocket !== true) {
    throw usage(`--socket is for sim; ${verb.name} speaks to the daemon, through --bus`);
  }
  if (values.root !== undefined && verb.usesRoot !== true) {
    throw usage(`--root is for doctor; ${verb.name} reads no files`);
  }
  const context: CommandContext = {
    bus: () => connection.open(values.bus ?? 'system'),
    json: values.json === true,
    args: rest,
    root: values.root,
    socket: values.socket,
    print: (text) => output.print(text),
  };
  await verb.run(context);
}

class Connection {
  #bus: Bus | undefined;

  async open(address: string): Promise<Bus> {
    try {
      this.#bus ??= await connectBus(address);
    } catch (error) {
      throw new RpmsgctlError(CliStatus.unavailable, (error as Error).message);
    }
    // Calls under way reject by themselves; there is nothing more to do about a bus that is gone.
    this.#bus.on('disconnect', () => {});
    return this.#bus;
  }

  async close(): Promise<void> {
    await this.#bus?.close();
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        bus: { type: 'string' },
        json: { type: 'boolean' },
        root: { type: 'string' },
        socket: { type: 'string' },
        help: { type: 'boolean' },
      },
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    const [reason] = (error as Error).message.split('. ');
    throw usage(`${reason}; see rpmsgctl --help`);
  }
}

function findVerb(name: string, verbs: readonly Verb[]): Verb {
  const verb = verbs.find((one) => one.name === name);
  if (verb !== undefined) return verb;
  const guess = nearest(
    name,
    verbs.map((one) => one.name),
  );
  const advice = guess === undefined ? 'see rpmsgctl --help' : `did you mean ${guess}?`;
  throw usage(`there is no verb ${JSON.stringify(name)}; ${advice}`);
}

function usage(message: string): RpmsgctlError {
  return new RpmsgctlError(CliStatus.usage, message);
}
