// SPDX-License-Identifier: Apache-2.0
// What the service manager left in the environment (sd_notify(3), sd_watchdog_enabled(3),
// sd_listen_fds(3)), taken out of it, so that programs started from here do not speak in our name.

/** The first descriptor that is handed over; the others follow it. */
const firstFd = 3;

export interface HandedOver {
  readonly name: string;
  readonly fd: number;
}

export interface ManagerEnvironment {
  /** Where notifications go; undefined: there is no service manager. */
  readonly notifySocket: string | undefined;
  /** How often it wants to hear that we live; undefined: never. */
  readonly watchdogMs: number | undefined;
  readonly descriptors: readonly HandedOver[];
}

const variables = [
  'NOTIFY_SOCKET',
  'WATCHDOG_USEC',
  'WATCHDOG_PID',
  'LISTEN_PID',
  'LISTEN_FDS',
  'LISTEN_FDNAMES',
];

export function takeManagerEnvironment(env: NodeJS.ProcessEnv = process.env): ManagerEnvironment {
  const socket = env['NOTIFY_SOCKET'];
  const taken = {
    notifySocket: socket === '' ? undefined : socket,
    watchdogMs: readWatchdog(env),
    descriptors: readDescriptors(env),
  };
  for (const name of variables) delete env[name];
  return taken;
}

/** The interval is meant for us only if the pid is ours or absent. */
function readWatchdog(env: NodeJS.ProcessEnv): number | undefined {
  const usec = Number(env['WATCHDOG_USEC']);
  const pid = env['WATCHDOG_PID'];
  const isOurs = pid === undefined || Number(pid) === process.pid;
  return isOurs && Number.isSafeInteger(usec) && usec > 0 ? usec / 1000 : undefined;
}

/** Those without a name have an empty one. */
function readDescriptors(env: NodeJS.ProcessEnv): HandedOver[] {
  const count = Number(env['LISTEN_FDS']);
  if (Number(env['LISTEN_PID']) !== process.pid || !Number.isSafeInteger(count)) return [];
  const names = (env['LISTEN_FDNAMES'] ?? '').split(':');
  return Array.from({ length: Math.max(0, count) }, (_, index) => ({
    name: names[index] ?? '',
    fd: firstFd + index,
  }));
}
