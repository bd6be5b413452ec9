// SPDX-License-Identifier: Apache-2.0
// Match rules and who gets which signal. A signal nobody asked for is not even decoded.

import type { BusLogger } from './bus-types.ts';
import { WireError } from './errors.ts';
import type { WireMessage } from './wire-message.ts';

export interface SignalRule {
  readonly sender?: string;
  readonly path?: string;
  readonly pathNamespace?: string;
  readonly interface?: string;
  readonly member?: string;
  /** String arguments by index. */
  readonly args?: Readonly<Record<number, string>>;
}

export interface ReceivedSignal {
  readonly sender: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly args: readonly unknown[];
}

interface Entry {
  readonly rule: SignalRule;
  readonly handler: (signal: ReceivedSignal) => void;
  /** Unique name behind a well-known sender; '' while it has none. */
  owner: string | undefined;
}

const BUS = 'org.freedesktop.DBus';

/** The rule as AddMatch takes it. */
export function matchRule(rule: SignalRule): string {
  const parts = ["type='signal'"];
  const add = (key: string, value: string | undefined) => {
    if (value !== undefined) parts.push(`${key}='${value.replaceAll("'", "'\\''")}'`);
  };
  add('sender', rule.sender);
  add('path', rule.path);
  add('path_namespace', rule.pathNamespace);
  add('interface', rule.interface);
  add('member', rule.member);
  for (const [index, value] of Object.entries(rule.args ?? {})) add(`arg${index}`, value);
  return parts.join(',');
}

/** Whether messages carry this name as their sender, as they never do a well-known one. */
export function isOwnSender(name: string): boolean {
  return name.startsWith(':') || name === BUS;
}

export class SignalRouter {
  readonly #entries = new Set<Entry>();
  readonly #logger: BusLogger | undefined;

  constructor(logger: BusLogger | undefined) {
    this.#logger = logger;
  }

  add(rule: SignalRule, handler: (signal: ReceivedSignal) => void): Entry {
    const named = rule.sender !== undefined && !isOwnSender(rule.sender);
    const entry: Entry = { rule, handler, owner: named ? '' : rule.sender };
    this.#entries.add(entry);
    return entry;
  }

  remove(entry: Entry): void {
    this.#entries.delete(entry);
  }

  /** Hands a signal to everyone whose rule it meets. */
  route(message: WireMessage): void {
    let signal: ReceivedSignal | undefined;
    for (const entry of this.#entries) {
      if (!meetsHeader(entry, message)) continue;
      signal ??= this.#decode(message);
      if (signal === undefined) return;
      if (meetsArguments(entry.rule, signal)) this.#deliver(entry, signal);
    }
  }

  #decode(message: WireMessage): ReceivedSignal | undefined {
    try {
      const { sender, path, member } = message;
      return { sender, path, interface: message.interface, member, args: message.args() };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const { sender, member } = message;
      this.#logger?.warn({ sender, member, reason: error.message }, 'signal ignored');
      return undefined;
    }
  }

  #deliver(entry: Entry, signal: ReceivedSignal): void {
    try {
      entry.handler(signal);
    } catch (error) {
      this.#logger?.error({ err: error, member: signal.member }, 'signal handler failed');
    }
  }
}

function meetsHeader({ rule, owner }: Entry, message: WireMessage): boolean {
  return (
    !message.oversized &&
    (owner === undefined || owner === message.sender) &&
    (rule.member === undefined || rule.member === message.member) &&
    (rule.interface === undefined || rule.interface === message.interface) &&
    (rule.path === undefined || rule.path === message.path) &&
    (rule.pathNamespace === undefined || isWithin(message.path, rule.pathNamespace))
  );
}

function isWithin(path: string, namespace: string): boolean {
  return namespace === '/' || path === namespace || path.startsWith(`${namespace}/`);
}

function meetsArguments(rule: SignalRule, signal: ReceivedSignal): boolean {
  return Object.entries(rule.args ?? {}).every(
    ([index, value]) => signal.args[Number(index)] === value,
  );
}
