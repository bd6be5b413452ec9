// SPDX-License-Identifier: Apache-2.0
// The dispatcher of rpmsgctl: options, verb, bus, exit status.

import { parseArgs } from 'node:util';
import { BusSocket } from '../addon/bus-socket.ts';
import { type Bus, connectBus } from '../dbus/index.ts';
import { nearest } from '../util/nearest.ts';
import { CliStatus, type Explanation, explain, RpmsgctlError } from './errors.ts';
import { commonOptions, helpOf, helpOfAll } from './help.ts';
import { jsonLine } from './json.ts';
import { usage } from './options.ts';
import { connectOverSsh } from './ssh-bus.ts';
import { harmless, Terminal } from './terminal.ts';
import type { CommandContext, Input, OptionValues, Output, Verb } from './verb.ts';

/** The terminal, or what is in its place. */
export interface Surroundings {
  readonly stdin: Input;
  readonly stdout: Output;
  complain(text: string): void;
  interruption(): AbortSignal;
}

/** Runs one command line; resolves with the exit status and never rejects. */
export async function rpmsgctl(
  args: readonly string[],
  verbs: readonly Verb[],
  surroundings: Surroundings,
): Promise<number> {
  const connection = new Connection();
  try {
    await dispatch(args, verbs, surroundings, connection);
    return CliStatus.ok;
  } catch (error) {
    const explanation = explain(error);
    surroundings.complain(errorText(explanation, wantsJson(args)));
    return explanation.status;
  } finally {
    await connection.close();
  }
}

/** Also where the command line cannot be read otherwise. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end < 0 ? undefined : end).includes('--json');
}

/** For a person. What a remote is called, or says, may be in it. */
function told(text: string): string {
  return `rpmsgctl: ${text.split('\n').map(harmless).join('\n')}\n`;
}

function errorText({ status, message, name }: Explanation, isJson: boolean): string {
  return isJson ? jsonLine({ error: message, name, status }) : told(message);
}

async function dispatch(
  args: readonly string[],
  verbs: readonly Verb[],
  surroundings: Surroundings,
  connection: Connection,
): Promise<void> {
  const { values, positionals } = parse(args, verbs);
  const { bus, host, json, help, ...options } = values;
  const [name, ...rest] = positionals;
  const verb = name === undefined ? undefined : findVerb(name, verbs);
  const print = (text: string) => void surroundings.stdout.write(text);
  if (help === true) return print(verb ? helpOf(verb) : helpOfAll(verbs));
  if (verb === undefined) throw usage('a verb is missing; see rpmsgctl --help');
  if (rest.length > 0 && verb.usage === '') {
    throw usage(`${verb.name} takes no argument, so ${JSON.stringify(rest[0])} means nothing`);
  }
  checkOptions(verb, options, verbs);
  if (bus !== undefined && host !== undefined) {
    throw usage('--host and --bus exclude each other: --host is the system bus of another machine');
  }
  const where: Where = {
    address: String(bus ?? 'system'),
    host: host === undefined ? undefined : String(host),
    wantsDescriptors: verb.wantsDescriptors === true,
  };
  const context: CommandContext = {
    bus: () => connection.open(where),
    json: json === true,
    args: rest,
    options,
    get stdin() {
      return surroundings.stdin;
    },
    stdout: surroundings.stdout,
    terminal: new Terminal(surroundings.stdout),
    print,
    complain: (line) =>
      surroundings.complain(json === true ? jsonLine({ notice: line }) : told(line)),
    interruption: () => surroundings.interruption(),
  };
  await verb.run(context);
}

interface Where {
  readonly address: string;
  readonly host: string | undefined;
  readonly wantsDescriptors: boolean;
}

class Connection {
  #bus: Bus | undefined;

  async open({ address, host, wantsDescriptors }: Where): Promise<Bus> {
    if (this.#bus !== undefined) return this.#bus;
    const connectSocket = wantsDescriptors ? BusSocket.connect : undefined;
    const connect = () =>
      host === undefined ? connectBus(address, { connectSocket }) : connectOverSsh(host);
    try {
      this.#bus = await connect();
    } catch (error) {
      if (error instanceof RpmsgctlError) throw error;
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

function parse(
  args: readonly string[],
  verbs: readonly Verb[],
): { values: OptionValues; positionals: string[] } {
  const known = [...commonOptions, ...verbs.flatMap(({ options = [] }) => options)];
  const options = Object.fromEntries(
    known.map(({ name, value }) => {
      return [name, { type: value === undefined ? ('boolean' as const) : ('string' as const) }];
    }),
  );
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    return { values: { ...parsed.values }, positionals: parsed.positionals };
  } catch (error) {
    const [reason] = (error as Error).message.split(/\.[ \n]/);
    throw usage(`${reason}; see rpmsgctl --help`);
  }
}

function checkOptions(verb: Verb, options: OptionValues, verbs: readonly Verb[]): void {
  const has = (one: Verb, name: string) => one.options?.some((option) => option.name === name);
  const stray = Object.keys(options).find((name) => !has(verb, name));
  if (stray === undefined) return;
  const owners = verbs.filter((one) => has(one, stray)).map(({ name }) => name);
  throw usage(`--${stray} is for ${owners.join(', ')}; ${verb.name} does not know it`);
}

function findVerb(name: string, verbs: readonly Verb[]): Verb {
  const verb = verbs.find((one) => one.name === name);
  if (verb !== undefined) return verb;
  const shown = verbs.filter(({ isHidden }) => isHidden !== true);
  const guess = nearest(
    name,
    shown.map((one) => one.name),
  );
  const advice = guess === undefined ? 'see rpmsgctl --help' : `did you mean ${guess}?`;
  throw usage(`there is no verb ${JSON.stringify(name)}; ${advice}`);
}
