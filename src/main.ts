// SPDX-License-Identifier: Apache-2.0
// The program rpmsgd: options, one daemon, signals, exit status.

import { journalSend } from './addon/system.ts';
import {
  ConfigError,
  type ConfigLocation,
  configOrigins,
  loadConfig,
  loadExplained,
  printConfig,
} from './config/index.ts';
import { Daemon } from './daemon/daemon.ts';
import { ExitStatus, exitStatus } from './daemon/exit.ts';
import { helpText, type Options, parseOptions } from './daemon/options.ts';
import { currentLaunch } from './start/launch.ts';
import { originOf } from './start/setup-file.ts';
import { DescriptorStore } from './systemd/descriptor-store.ts';
import { takeManagerEnvironment } from './systemd/environment.ts';
import { createNotifier } from './systemd/notifier.ts';
import { encodeEntry, isJournalStream } from './util/journal.ts';
import { createLogger, type Logger } from './util/log.ts';
import { busApiVersion, version } from './util/version.ts';

/** A bug is told with its stack in the log and nowhere else; the state it leaves is not trusted. */
function exitOnBug(log: Logger): void {
  const bug = (err: unknown) => {
    log.fatal({ err }, 'bug: please report this');
    process.exit(ExitStatus.software);
  };
  process.on('uncaughtException', bug);
  process.on('unhandledRejection', bug);
}

function handleSignals(daemon: Daemon, log: Logger): void {
  let isEnding = false;
  const end = (signal: NodeJS.Signals) => {
    if (isEnding) {
      log.warn({ signal }, 'second signal: exiting at once');
      process.exit(ExitStatus.failure);
    }
    isEnding = true;
    log.info({ signal }, 'stopping');
    daemon.end(ExitStatus.ok);
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  process.on('SIGHUP', () => {
    // What is wrong with it is in the log; the daemon goes on as it was.
    daemon.reload().catch(() => {});
  });
}

async function runDaemon(options: Options): Promise<number> {
  const location = { file: options.config, deviceTree: options.deviceTree };
  const origin = originOf(process.argv.slice(2), configOrigins(location));
  const config = loadConfig(location);
  const log = createLogger({
    level: options.logLevel ?? config.log.level,
    format: options.logFormat,
    journal: journalSend,
  });
  exitOnBug(log);
  const environment = takeManagerEnvironment();
  const notifier = createNotifier(environment);
  const descriptors = new DescriptorStore(environment);
  const launch = currentLaunch();
  const daemon = new Daemon({ options, config, origin, log, notifier, descriptors, launch });
  handleSignals(daemon, log);
  return await daemon.run();
}

function printEffective(location: ConfigLocation): number {
  const { config, originOf } = loadExplained(location);
  process.stdout.write(printConfig(config, originOf));
  return ExitStatus.ok;
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  switch (options.action) {
    case 'help':
      process.stdout.write(helpText);
      return ExitStatus.ok;
    case 'version':
      process.stdout.write(`rpmsgd ${version} (bus API version ${busApiVersion})\n`);
      return ExitStatus.ok;
    case 'print-config':
      return printEffective({ file: options.config, deviceTree: options.deviceTree });
    case 'run':
      return await runDaemon(options);
  }
}

/** Tells the journal, where standard error is that and the addon loads; false where it is not told. */
function tellJournal(text: string): boolean {
  const entry = { priority: 3, text, message: 'cannot start', fields: {} };
  try {
    return isJournalStream(process.env) && journalSend(encodeEntry(entry));
  } catch {
    return false;
  }
}

/** What ends the program before it has a logger. */
function complain(error: unknown): number {
  const message = error instanceof Error ? error.message : String(error);
  const text = error instanceof ConfigError ? `the configuration is refused:\n${message}` : message;
  if (!tellJournal(text)) {
    const priority = process.env['JOURNAL_STREAM'] === undefined ? '' : '<3>';
    const lines = `rpmsgd: ${text}`.split('\n').map((line) => `${priority}${line}\n`);
    process.stderr.write(lines.join(''));
  }
  return exitStatus(error);
}

main(process.argv.slice(2))
  .catch(complain)
  .then((status) => process.exit(status));
