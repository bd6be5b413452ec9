// SPDX-License-Identifier: Apache-2.0
// A whole set-up on one machine: simulated SoCs with firmware on every core, a private bus, the
// daemon. What with-daemon, the demo and the system tests stand on.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './child.mjs';
import { root } from './run.mjs';

const daemonPath = join(root, 'dist/rpmsgd.js');
const socPath = join(root, 'build/rpmsg-soc');
const firmwarePath = join(root, 'build/rpmsg-firmware');

/** What `rpmsg-firmware` announces on each vdev unless told otherwise. */
export const firmwareChannels = [
  'rpmsg-openamp-demo-channel',
  'rpmsg-client-sample',
  'echo',
  'sink',
  'source',
  'rpmsg-name-of-thirty-two-bytes!!',
];

/** What it announces with `--nxp`, too. */
export const nxpChannels = ['rpmsg-life-cycle-channel', 'rpmsg-io-channel', 'rpmsg-rtc-channel'];

/**
 * Whose habits firmware has unless a test says so: RPMsg-Lite's, or in the second run of the system
 * tests (vitest.config.ts) OpenAMP's, which is then on another generation of the MU, too.
 */
export const isOpenamp = process.env.RPMSGD_TEST_FIRMWARE === 'openamp';

/** The address at which firmware announces a channel: native/sim/README.md, "The applications". */
export function firmwareAddress(channel, isOfOpenamp = isOpenamp) {
  return firmwareChannels.indexOf(channel) + 1 + (isOfOpenamp ? 1023 : 0);
}

/** One remote `cm40` with two vdevs: of an i.MX8QXP, or by that name the core of an i.MX93. */
export const defaultConfig = {
  remote: [
    isOpenamp
      ? { name: 'cm40', platform: 'sim', soc: 'imx93', core: 'm33', vdevs: 2 }
      : { name: 'cm40', platform: 'sim', soc: 'imx8qxp', vdevs: 2 },
  ],
};

/** Loaded when it is needed: this module is read before `npm ci` ran on a fresh checkout. */
function toml() {
  return createRequire(import.meta.url)('smol-toml');
}

/** The client library that build.mjs bundles from src/cli/demo. */
export function clientLibrary() {
  return createRequire(import.meta.url)(join(root, 'dist/demo.js'));
}

/** What a configuration file says, with every default filled in, by the daemon itself. */
function effectiveConfig(file) {
  const args = [daemonPath, '--config', file, '--print-config'];
  const printed = execFileSync(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return toml().parse(printed.toString());
}

/** Where firmware has its resource table by convention: native/sim/README.md. */
function placeTables(config) {
  for (const remote of config.remote ?? []) {
    const window = ['imx6sx', 'imx7d'].includes(remote.soc) ? 0x10000 : 0x100000;
    remote.resource_table ??= { base: remote.vrings.base + window - 0x1000, size: 0x1000 };
  }
}

/** Sockets are ours, whatever the file says: one for each simulated SoC it speaks of. */
function placeSockets(config, directory) {
  const boards = new Map();
  for (const remote of config.remote ?? []) {
    const key = JSON.stringify([remote.socket, remote.soc]);
    const board = boards.get(key) ?? {
      soc: remote.soc,
      socket: join(directory, `soc${boards.size}.sock`),
      remotes: [],
    };
    board.remotes.push(remote);
    boards.set(key, board);
    remote.socket = board.socket;
  }
  return [...boards.values()];
}

/** The system bus's policy as far as it matters here, without its users. */
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own_prefix="org.rpmsg"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
    <allow send_destination_prefix="org.rpmsg"/>
    <allow send_type="method_call" send_interface="org.freedesktop.DBus.Peer"/>
  </policy>
</busconfig>
`;

async function startBus(directory) {
  const socket = join(directory, 'bus.sock');
  const file = join(directory, 'bus.conf');
  const address = `unix:path=${socket}`;
  writeFileSync(file, busConfig);
  const args = ['--nofork', '--nopidfile', `--config-file=${file}`, `--address=${address}`];
  const bus = new Child('dbus-daemon', 'dbus-daemon', [...args, '--print-address']);
  await bus.said(/guid=/);
  return { bus, address };
}

function startSoc({ soc, socket, remotes }, firmware) {
  const args = ['--socket', socket, '--soc', soc];
  for (const { core, vdevs } of remotes) {
    const command = firmware({ core, vdevs });
    args.push('--core', core);
    if (command !== undefined) args.push('--firmware', `${core}=${command}`);
  }
  return new Child('rpmsg-soc', socPath, args);
}

/** The command line of a core's firmware; `options` are added to it. */
export function firmwareCommand(vdevs, options = '') {
  const behaviour = isOpenamp && !options.includes('--behaviour') ? '--behaviour openamp ' : '';
  return `${firmwarePath} --vdevs ${vdevs} ${behaviour}${options}`.trim();
}

/** From now on this process ends in order: aborts on the first SIGINT, SIGTERM or SIGHUP. */
export function abortOnSignals() {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => controller.abort(new Error(`ended by ${signal}`)));
  }
  return controller.signal;
}

function rejectWhenAborted(signal) {
  return new Promise((_, reject) => {
    const abort = () => reject(signal.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
  });
}

export class Scene {
  /** Of the private bus, or of the one that was given. */
  address;
  directory;
  daemon;
  /** As the daemon was given it. */
  config;
  socs = [];
  /** The private bus, unless one was given. */
  bus;
  #isStopped = false;

  /**
   * Starts everything and waits until the daemon owns its name. Options: config (an object as
   * defaultConfig), configFile (instead), busAddress (use this bus), firmware ({core, vdevs} =>
   * command line or undefined for none), resourceTable (the daemon is told where each remote has its
   * table; OpenAMP firmware needs that, and has it by default), daemonArgs, daemonEnv, daemonLauncher
   * (what stands before the daemon's command), show (the daemon's log on ours), withoutDaemon (others
   * start it, by daemonCommand), signal (an AbortSignal: give up and leave nothing behind).
   */
  static async start(options = {}) {
    const scene = new Scene();
    scene.directory = mkdtempSync(join(tmpdir(), 'rpmsgd-'));
    try {
      const started = scene.#start(options);
      // Given up, it fails later for want of what was stopped.
      started.catch(() => {});
      await Promise.race([started, rejectWhenAborted(options.signal)]);
    } catch (error) {
      await scene.stop();
      throw error;
    }
    return scene;
  }

  async #start({
    config = defaultConfig,
    configFile,
    busAddress,
    firmware,
    resourceTable,
    withoutDaemon,
    ...daemon
  }) {
    const file = join(this.directory, 'rpmsgd.toml');
    writeFileSync(file, toml().stringify(config));
    this.config = effectiveConfig(configFile ?? file);
    if (resourceTable ?? isOpenamp) placeTables(this.config);
    const boards = placeSockets(this.config, this.directory);
    writeFileSync(file, toml().stringify(this.config));
    const command = firmware ?? (({ vdevs }) => firmwareCommand(vdevs));
    this.socs = boards.map((board) => startSoc(board, command));
    const bus = busAddress === undefined ? await startBus(this.directory) : undefined;
    this.bus = bus?.bus;
    this.address = busAddress ?? bus?.address;
    await Promise.all(this.socs.map((soc) => soc.said(/^READY$/m)));
    if (!withoutDaemon) await this.startDaemon(daemon);
  }

  /** The words that start a daemon here. */
  daemonCommand() {
    const config = join(this.directory, 'rpmsgd.toml');
    const files = ['--config', config, '--runtime-dir', this.directory];
    return [process.execPath, daemonPath, ...files, '--bus', this.address];
  }

  /** Starts the daemon (again); resolves when it owns its name. */
  async startDaemon({ daemonArgs = [], daemonEnv = {}, daemonLauncher = [], show = false } = {}) {
    if (this.#isStopped) throw new Error('stopped while starting');
    const [program, ...args] = [...daemonLauncher, ...this.daemonCommand(), ...daemonArgs];
    this.daemon = new Child('rpmsgd', program, args, { env: daemonEnv, show });
    const ended = this.daemon.exited.then(() => {
      throw this.daemon.failure();
    });
    await Promise.race([clientLibrary().waitForName(this.address), ended]);
    ended.catch(() => {});
  }

  /** Waits until every vdev is up and has announced `channels`. */
  async waitForChannels(channels = firmwareChannels, timeoutMs = 20_000) {
    const vdevs = (this.config.remote ?? []).map(({ name, vdevs: count }) => [name, count]);
    const ended = this.daemon.exited.then(() => {
      throw this.daemon.failure();
    });
    const up = clientLibrary().waitForChannels(this.address, new Map(vdevs), channels, timeoutMs);
    await Promise.race([up, ended]);
    ended.catch(() => {});
  }

  /**
   * Stops everything, last started first, and removes the directory. Resolves with the daemon's
   * {code, signal}, undefined if it was never started.
   */
  async stop() {
    this.#isStopped = true;
    const result = await this.daemon?.stop();
    for (const soc of this.socs) await soc.stop();
    await this.bus?.stop();
    rmSync(this.directory, { recursive: true, force: true });
    return result;
  }
}
