// SPDX-License-Identifier: Apache-2.0
// The system bus of another machine, as systemctl and busctl reach it with -H: a program there puts it
// onto standard input and output, and ssh carries those here.

import { type ChildProcess, spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { type Bus, connectBusStream } from '../dbus/index.ts';
import { CliStatus, RpmsgctlError } from './errors.ts';
import { usage } from './options.ts';

/** Of systemd, on the other machine. */
const bridge = 'systemd-stdio-bridge';
/** A person may have to type a passphrase. */
const patienceMs = 90_000;

/**
 * Connects to the system bus of `[USER@]HOST[:PORT]`. Descriptors do not pass.
 * @throws RpmsgctlError naming the host and what ssh came to
 */
export async function connectOverSsh(host: string): Promise<Bus> {
  const child = spawn('ssh', sshArguments(host), { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = endOf(child);
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  try {
    return await connectBusStream(stream, { timeoutMs: patienceMs });
  } catch (error) {
    child.kill();
    const why = (await ended) ?? (error as Error).message;
    throw new RpmsgctlError(CliStatus.unavailable, `cannot use the bus of ${host}: ${why}`);
  }
}

/** @throws RpmsgctlError unless it is a host */
function sshArguments(host: string): string[] {
  const [, place, port] =
    /^((?:[^@:\s]+@)?(?:\[[0-9a-fA-F:.%]+\]|[^@:\s-][^@:\s]*))(?::(\d{1,5}))?$/.exec(host) ?? [];
  if (place === undefined) {
    throw usage(`--host is [USER@]HOST[:PORT], not ${JSON.stringify(host)}`);
  }
  const where = place.replace(/\[(.*)\]$/, '$1');
  return ['-xT', ...(port === undefined ? [] : ['-p', port]), '--', where, bridge];
}

/** Resolves with why it ended, if that says anything. */
function endOf(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      const isAbsent = error.code === 'ENOENT';
      resolve(isAbsent ? 'there is no program ssh: install openssh-client' : error.message);
    });
    child.on('exit', (status) => {
      const hint = status === 127 ? `: ${bridge} is not there; it belongs to systemd` : '';
      resolve(
        status === null || status === 0 ? undefined : `ssh ended with status ${status}${hint}`,
      );
    });
  });
}
