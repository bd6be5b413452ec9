// SPDX-License-Identifier: Apache-2.0
// The command line of rpmsgd.

import { parseArgs } from 'node:util';
import { type LogLevel, logLevels } from '../config/types.ts';
import { type LogFormat, logFormats } from '../util/log.ts';
import { ExitStatus, FatalError } from './exit.ts';

export const helpText = `Usage: rpmsgd [options]
Owns the RPMsg link to independent M cores and publishes it on D-Bus as org.rpmsg.

  --config FILE        read FILE alone, instead of rpmsgd.toml and rpmsgd.toml.d/*.toml
                       in /usr/lib/rpmsg, /run/rpmsg and /etc/rpmsg
  --device-tree DIR    describes remotes that no file does (default: that of the machine,
                       in /sys/firmware/devicetree/base; with --config none)
  --bus BUS            system (default), session, or a D-Bus address
  --runtime-dir DIR    where the lock is, and what the next daemon goes on with
                       (default: $RUNTIME_DIRECTORY, else /run/rpmsg for root, else
                       $XDG_RUNTIME_DIR/rpmsg)
  --log-level LEVEL    ${logLevels.join(', ')}; wins over the configuration
  --log-format FORMAT  ${logFormats.join(', ')}
  --print-config       print the effective configuration, and where each value comes from,
                       and exit
  --version            print the versions of program and bus API and exit
  --help               print this and exit

Signals: SIGTERM and SIGINT stop in order (a second one at once), SIGHUP reloads.
Exit status: 0 stopped, 1 bus lost or another failure, 64 wrong usage,
69 lock held by another daemon or hardware not there, 70 bug, 78 wrong configuration.
`;

export interface Options {
  readonly action: 'run' | 'help' | 'version' | 'print-config';
  readonly config: string | undefined;
  readonly deviceTree: string | undefined;
  readonly bus: string;
  readonly runtimeDir: string | undefined;
  readonly logLevel: LogLevel | undefined;
  readonly logFormat: LogFormat;
}

const known = {
  config: { type: 'string' },
  'device-tree': { type: 'string' },
  bus: { type: 'string' },
  'runtime-dir': { type: 'string' },
  'log-level': { type: 'string' },
  'log-format': { type: 'string' },
  'print-config': { type: 'boolean' },
  version: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** @throws FatalError (usage) naming the option */
export function parseOptions(args: readonly string[]): Options {
  const values = parse(args);
  return {
    action: chooseAction(values),
    config: values.config,
    deviceTree: values['device-tree'],
    bus: values.bus ?? 'system',
    runtimeDir: values['runtime-dir'],
    logLevel: oneOf('--log-level', values['log-level'], logLevels),
    logFormat: oneOf('--log-format', values['log-format'], logFormats) ?? 'auto',
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: known, strict: true }).values;
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('. ');
    throw usage(`${reason}; see rpmsgd --help`);
  }
}

function chooseAction(values: ReturnType<typeof parse>): Options['action'] {
  if (values.help === true) return 'help';
  if (values.version === true) return 'version';
  return values['print-config'] === true ? 'print-config' : 'run';
}

function oneOf<Word extends string>(
  option: string,
  value: string | undefined,
  words: readonly Word[],
): Word | undefined {
  if (value === undefined) return undefined;
  const word = words.find((one) => one === value);
  if (word === undefined) throw usage(`${option} ${value} must be one of ${words.join(', ')}`);
  return word;
}

function usage(message: string): FatalError {
  return new FatalError(ExitStatus.usage, message);
}
