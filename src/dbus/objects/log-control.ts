// SPDX-License-Identifier: Apache-2.0
// org.freedesktop.LogControl1: the log level, for systemctl.

import definition from '../../../dbus/org.freedesktop.LogControl1.xml';
import {
  BusError,
  type Credentials,
  defineInterface,
  ErrorName,
  type InterfaceHandlers,
  type MethodCall,
} from '../index.ts';

/** Where systemctl looks for it. */
export const logControlPath = '/org/freedesktop/LogControl1';

export interface LogControlTarget {
  /** The logger. */
  readonly log: { level: string };
  readonly target: 'journal' | 'console';
  readonly clients: { credentials(sender: string): Promise<Credentials> };
}

/** syslog(3) and ours. For those of ours that several stand for, the first is what is read. */
const levels: readonly (readonly [syslog: string, ours: string])[] = [
  ['crit', 'fatal'],
  ['emerg', 'fatal'],
  ['alert', 'fatal'],
  ['err', 'error'],
  ['warning', 'warn'],
  ['info', 'info'],
  ['notice', 'info'],
  ['debug', 'debug'],
  ['debug', 'trace'],
];

/** Bus policy cannot tell these properties from others of ours. */
async function requireRoot({ clients }: LogControlTarget, { sender }: MethodCall): Promise<void> {
  if ((await clients.credentials(sender)).uid === 0) return;
  throw new BusError(ErrorName.accessDenied, 'only root may change how the daemon logs');
}

async function setLevel(target: LogControlTarget, value: string, call: MethodCall): Promise<void> {
  await requireRoot(target, call);
  const [, level] = levels.find(([syslog]) => syslog === value) ?? [];
  if (level === undefined) {
    const known = [...new Set(levels.map(([syslog]) => syslog))].join(', ');
    throw new BusError(ErrorName.invalidArgs, `log level "${value}" must be one of ${known}`);
  }
  target.log.level = level;
}

async function setTarget(target: LogControlTarget, value: string, call: MethodCall): Promise<void> {
  await requireRoot(target, call);
  if (value === target.target) return;
  const text = `the log goes to the ${target.target}; --log-format of the daemon decides that`;
  throw new BusError(ErrorName.notSupported, text);
}

const handlers = {
  properties: {
    LogLevel: ({ log }) => levels.find(([, ours]) => ours === log.level)?.[0] ?? 'info',
    LogTarget: ({ target }) => target,
    SyslogIdentifier: () => 'rpmsgd',
  },
  setters: { LogLevel: setLevel, LogTarget: setTarget },
} satisfies InterfaceHandlers<LogControlTarget>;

export const logControlInterface = defineInterface<LogControlTarget>(definition, handlers);
