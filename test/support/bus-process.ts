// SPDX-License-Identifier: Apache-2.0
// Private buses for tests: dbus-daemon with the limits of a session bus or of the system bus, and
// dbus-broker. Each lives in its own temporary directory and dies with its test.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type BusKind = 'dbus-daemon session' | 'dbus-daemon system' | 'dbus-broker';
export const BUS_KINDS: readonly BusKind[] = [
  'dbus-daemon session',
  'dbus-daemon system',
  'dbus-broker',
];

const START_TIMEOUT_MS = 10_000;
// The benchmark bundles this into build/bench, which lies as deep.
const here = fileURLToPath(new URL('../../test/support/', import.meta.url));
const buildDir = fileURLToPath(new URL('../../build/test-support/', import.meta.url));

export interface BusProcess {
  readonly kind: BusKind;
  /** D-Bus address of the bus. */
  readonly address: string;
  readonly socket: string;
  /** Where dbus-daemon reads its configuration; it does so again on ReloadConfig. */
  readonly config: string;
  /** Kills the bus at once, as a crash does. */
  kill(): Promise<void>;
  /** Kills it and removes its directory. */
  stop(): Promise<void>;
}

/** Where helpers were compiled for a machine that has no compiler. */
const compiledDir = process.env['RPMSG_TEST_HELPERS'];

/**
 * Compiles a C helper of this folder unless its binary is newer; returns the binary's path. `packages`
 * are libraries that pkg-config knows.
 */
export function compileHelper(
  name: string,
  libraries: readonly string[] = [],
  packages: readonly string[] = [],
): string {
  if (compiledDir !== undefined) return join(compiledDir, name);
  const source = join(here, `${name}.c`);
  const binary = join(buildDir, name);
  const built = statSync(binary, { throwIfNoEntry: false });
  const headers = readdirSync(here).filter((file) => file.endsWith('.h'));
  const sources = [source, ...headers.map((file) => join(here, file))];
  const newest = Math.max(...sources.map((file) => statSync(file).mtimeMs));
  if (built !== undefined && built.mtimeMs > newest) return binary;
  mkdirSync(buildDir, { recursive: true });
  // Renamed into place, since test files compile the same helper side by side.
  const draft = `${binary}.${process.pid}`;
  const flags = ['-std=gnu11', '-O1', '-Wall', '-Wextra', '-o', draft];
  const linked = libraries.map((library) => `-l${library}`);
  for (const each of packages) {
    const answer = execFileSync('pkg-config', ['--cflags', '--libs', each], { encoding: 'utf8' });
    linked.push(...answer.trim().split(/\s+/));
  }
  execFileSync('cc', [...flags, source, ...linked]);
  renameSync(draft, binary);
  return binary;
}

/** Starts a bus; resolves once it accepts connections. */
export async function startBus(kind: BusKind): Promise<BusProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'rpmsg-bus-'));
  const socket = join(directory, 'bus');
  const config = join(directory, 'bus.conf');
  const child = kind === 'dbus-broker' ? startBroker(socket) : startDaemon(kind, config, socket);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  const stop = async () => {
    await kill();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await firstLine(child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { kind, address: `unix:path=${socket}`, socket, config, kill, stop };
}

function startBroker(socket: string): ChildProcess {
  const controller = compileHelper('broker-controller', ['systemd']);
  return spawn(controller, [socket], { stdio: ['ignore', 'pipe', 'pipe'] });
}

function startDaemon(kind: BusKind, config: string, socket: string): ChildProcess {
  writeFileSync(config, kind === 'dbus-daemon session' ? SESSION : SYSTEM);
  const listen = `--address=unix:path=${socket}`;
  const args = [`--config-file=${config}`, '--nofork', '--nopidfile', listen, '--print-address'];
  return spawn('dbus-daemon', args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

function firstLine(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the bus did not start')), START_TIMEOUT_MS);
    child.once('error', reject);
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said = `${said}${chunk}`.slice(-2_000);
    });
    child.once('exit', (code) => reject(new Error(`the bus exited with ${code}: ${said}`)));
    child.stdout?.once('data', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

const HEAD =
  '<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"\n' +
  ' "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">\n';

/** Limits as session.conf sets them: practically none. */
const SESSION = `${HEAD}<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
  <limit name="max_incoming_bytes">1000000000</limit>
  <limit name="max_outgoing_bytes">1000000000</limit>
  <limit name="max_message_size">1000000000</limit>
  <limit name="max_completed_connections">100000</limit>
  <limit name="max_connections_per_user">100000</limit>
  <limit name="max_names_per_connection">50000</limit>
  <limit name="max_match_rules_per_connection">50000</limit>
  <limit name="max_replies_per_connection">50000</limit>
</busconfig>
`;

/** The system bus's built-in limits and its rule that only requested replies pass. */
const SYSTEM = `${HEAD}<busconfig>
  <type>system</type>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
    <allow own_prefix="org.rpmsg"/>
    <allow send_destination_prefix="org.rpmsg"/>
    <allow send_type="method_call" send_interface="org.freedesktop.DBus.Peer"/>
  </policy>
</busconfig>
`;
