// SPDX-License-Identifier: Apache-2.0
// The daemon put together: what starts after what, what ends it, what a reload does.

import { join } from 'node:path';
import { openLink } from '../addon/link.ts';
import type { LinkApi } from '../addon/link-api.ts';
import { sendFds } from '../addon/system.ts';
import { type Config, configOrigins, diffConfig, loadConfig } from '../config/index.ts';
import type { Bus } from '../dbus/index.ts';
import { logControlInterface, logControlPath } from '../dbus/objects/log-control.ts';
import { RpmsgService } from '../dbus/objects/service.ts';
import type { Launch } from '../start/launch.ts';
import { type Origin, originOf } from '../start/setup-file.ts';
import { ObjectStore } from '../state/object-store.ts';
import type { DescriptorStore } from '../systemd/descriptor-store.ts';
import type { Notifier } from '../systemd/notifier.ts';
import { Watchdog } from '../systemd/watchdog.ts';
import { RpmsgdError } from '../util/errors.ts';
import { limitWarnings, type PeerLogger } from '../util/fault-log.ts';
import { isJournalStream } from '../util/journal.ts';
import type { Logger } from '../util/log.ts';
import { version } from '../util/version.ts';
import { BusLink } from './bus-link.ts';
import { EarlyStart } from './early-start.ts';
import { ExitStatus, exitStatus, FatalError } from './exit.ts';
import { Lifecycle, type Part, StartCancelled } from './lifecycle.ts';
import type { Options } from './options.ts';
import { chooseRuntimeDir, dropOtherStates, stateFilePath, takeLock } from './runtime-dir.ts';
import { StatusBoard, watchLink } from './status.ts';
import { warningsAbout } from './warnings.ts';

const busName = 'org.rpmsg';
const rootPath = '/org/rpmsg';
const stopDeadlineMs = 5_000;
const realtimeExample = 'see /usr/share/doc/rpmsgd/examples/realtime.conf';
/** How long the bus is given at a stop to take what clients are to have. */
const drainMs = 1_000;

export interface DaemonSetup {
  readonly options: Options;
  readonly config: Config;
  /** What the configuration was read from, as it was before. */
  readonly origin: Origin;
  readonly log: Logger;
  readonly notifier: Notifier;
  readonly descriptors: DescriptorStore;
  /** What the loader did before; undefined: there was none. */
  readonly launch?: Launch | undefined;
}

export class Daemon {
  readonly #options: Options;
  readonly #log: Logger;
  readonly #peerLog: PeerLogger;
  readonly #notifier: Notifier;
  readonly #early: EarlyStart;
  readonly #lifecycle: Lifecycle;
  readonly #status: StatusBoard;
  readonly #busLink = new BusLink();
  readonly #service: RpmsgService;
  #config: Config;
  #runtimeDir = '';
  #link: LinkApi | undefined;
  /** Reloads come one after the other. */
  #reloading: Promise<void> = Promise.resolve();
  #isReady = false;
  #isEnding = false;
  #ended: (status: number) => void = () => {};
  readonly #end: Promise<number>;

  constructor({ options, config, origin, log, notifier, descriptors, launch }: DaemonSetup) {
    this.#early = new EarlyStart(launch, origin);
    this.#options = options;
    this.#config = config;
    this.#log = log;
    this.#notifier = notifier;
    this.#peerLog = limitWarnings(log);
    this.#lifecycle = new Lifecycle(log);
    const remotes = config.remotes.map(({ name, setup }) => ({ name, vdevs: setup.vdevs }));
    this.#status = new StatusBoard(remotes, (text) => {
      if (this.#isReady) this.#notifier.status(text);
    });
    this.#service = new RpmsgService({
      ...this.#busLink.parts,
      log: this.#peerLog,
      config,
      descriptors,
      ttyDirectory: () => join(this.#runtimeDir, 'tty'),
      version,
      reload: () => this.reload(),
      boardGone: (remote) => {
        this.#lost(ExitStatus.unavailable, { remote }, 'its board is gone: exiting');
      },
    });
    this.#end = new Promise((resolve) => {
      this.#ended = resolve;
    });
  }

  /** Starts, runs until end() is called, stops. Resolves with the exit status. */
  async run(): Promise<number> {
    let status: number = ExitStatus.ok;
    try {
      await this.#lifecycle.start(this.#parts());
      status = await this.#end;
    } catch (error) {
      status = error instanceof StartCancelled ? await this.#end : this.#failed(error);
    }
    this.#isEnding = true;
    const stoppedWell = await this.#lifecycle.stop(stopDeadlineMs);
    return status === ExitStatus.ok && !stoppedWell ? ExitStatus.failure : status;
  }

  /** Ends run() in order; the first status counts. Also while it is still starting. */
  end(status: number): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#isReady = false;
    this.#notifier.stopping('stopping');
    void this.#lifecycle.stop(stopDeadlineMs);
    this.#ended(status);
  }

  /** Reads the configuration again. Rejects, having changed nothing, when it cannot be applied. */
  reload(): Promise<void> {
    const reloaded = this.#reloading.then(() => this.#reload());
    this.#reloading = reloaded.catch(() => {});
    return reloaded;
  }

  async #reload(): Promise<void> {
    if (!this.#isReady) throw new RpmsgdError('busy', 'the daemon is starting or stopping');
    this.#notifier.reloading();
    const { config: file, deviceTree } = this.#options;
    const location = { file, deviceTree };
    try {
      const origin = originOf(this.#early.args, configOrigins(location));
      await this.#apply(loadConfig(location));
      this.#early.reloaded(this.#runtimeDir, origin);
    } catch (err) {
      this.#log.error({ err }, 'the configuration is not reloaded');
      throw err;
    } finally {
      if (this.#isReady) this.#notifier.ready(this.#status.text);
    }
  }

  async #apply(config: Config): Promise<void> {
    const { applied, refused } = diffConfig(this.#config, config);
    if (refused.length > 0) throw new RpmsgdError('invalid_argument', refused.join('; '));
    await this.#service.applyReload(config);
    this.#config = config;
    if (this.#options.logLevel === undefined) this.#log.level = config.log.level;
    this.#log.info({ changed: applied }, 'configuration reloaded');
  }

  #failed(error: unknown): number {
    this.#log.error({ err: error }, 'cannot start');
    return exitStatus(error);
  }

  /** Something that run() cannot go on without is lost. */
  #lost(status: number, details: object, message: string): void {
    if (this.#isEnding) return;
    this.#log.error(details, message);
    this.end(status);
  }

  #parts(): Part[] {
    return [
      { name: 'lock', start: () => this.#takeLock() },
      // A remote may wait in a loop until its register is drained: before anything else.
      { name: 'link', start: () => this.#openLink(), stop: () => this.#link?.close() },
      { name: 'bus', start: () => this.#connectBus(), stop: () => this.#bus?.close() },
      { name: 'clients', start: () => this.#meetClients() },
      { name: 'objects', start: () => this.#publish() },
      { name: 'name', start: () => this.#ownName(), stop: () => this.#releaseName() },
      this.#watchdogPart(),
      // First of all to stop: no call that comes in from then on is begun.
      { name: 'service', start: () => this.#ready(), stop: () => this.#stopService() },
    ];
  }

  #takeLock(): void {
    this.#runtimeDir = chooseRuntimeDir(this.#options.runtimeDir);
    if (!this.#early.hasLocked(this.#runtimeDir)) takeLock(this.#runtimeDir);
  }

  #openLink(): void {
    const openStore = () => ObjectStore.open(this.#runtimeDir, this.#log);
    const { remotes } = this.#config;
    dropOtherStates(
      this.#runtimeDir,
      remotes.map(({ name }) => name),
    );
    const setups = remotes.map(({ name, setup }) => ({
      ...setup,
      stateFile: stateFilePath(this.#runtimeDir, name),
    }));
    const early = this.#early.link(setups, this.#config);
    const link = openLink(watchLink(this.#service, this.#status), early);
    this.#link = link;
    try {
      this.#service.attachLink(link, { openStore, setups }, () => this.#startLink(link));
    } catch (cause) {
      link.close();
      if (!(cause instanceof RpmsgdError)) throw cause;
      throw new FatalError(ExitStatus.unavailable, cause.message, { cause });
    }
    for (const { text, fields } of warningsAbout(this.#config)) this.#log.warn(fields, text);
  }

  #startLink(link: LinkApi): void {
    const { realtimePriority, busyPollUs } = this.#config.link;
    try {
      link.start(realtimePriority, busyPollUs);
    } catch (cause) {
      const { message } = cause as Error;
      if (realtimePriority === 0) throw new FatalError(ExitStatus.failure, message, { cause });
      const advice = `link.realtime_priority = ${realtimePriority} needs leave: ${realtimeExample}`;
      throw new FatalError(ExitStatus.config, `${message}; ${advice}`, { cause });
    }
  }

  get #bus(): Bus | undefined {
    return this.#busLink.bus;
  }

  async #connectBus(): Promise<void> {
    const { options, limits } = { options: this.#options, limits: this.#config.limits };
    const wiring = { sendFds, logger: this.#peerLog };
    const lost = (err: Error) => {
      // Those who are still on it are found again by the next daemon.
      this.#service.freeze();
      this.#lost(ExitStatus.failure, { err }, 'the bus is lost: exiting');
    };
    const bus = await this.#busLink.connect(options.bus, rootPath, limits, wiring, lost);
    bus.on('nameLost', (name: string) => {
      this.#lost(ExitStatus.failure, { name }, 'the name on the bus is lost: exiting');
    });
  }

  async #meetClients(): Promise<void> {
    await this.#service.meetClients(this.#busLink.busId);
    // A remote that lives on was never down: nobody is to see it so before the link has told of it.
    await this.#service.linkSettled();
  }

  #publish(): void {
    const { tree, clients } = this.#busLink.parts;
    const target = isJournalStream(process.env) ? 'journal' : 'console';
    tree.publish(logControlPath, [logControlInterface.of({ log: this.#log, target, clients })]);
    this.#service.publish();
  }

  async #ownName(): Promise<void> {
    await this.#bus?.acquireName(busName);
    this.#log.info({ name: busName, bus: this.#options.bus }, 'on the bus');
  }

  async #releaseName(): Promise<void> {
    if (this.#bus?.connected === true) await this.#bus.callBus('ReleaseName', 's', [busName]);
  }

  #watchdogPart(): Part {
    const watchdog = new Watchdog(this.#notifier, {
      heartbeat: () => this.#link?.heartbeat() ?? 0,
      probeBus: () => this.#bus?.callBus('GetId') ?? Promise.reject(new Error('no bus')),
      sick: (what) => this.#log.error({ what }, 'the watchdog is not fed'),
    });
    return { name: 'watchdog', start: () => watchdog.start(), stop: () => watchdog.stop() };
  }

  #ready(): void {
    this.#service.greetClients();
    this.#isReady = true;
    this.#notifier.ready(this.#status.text);
    setImmediate(() => this.#early.finish(this.#runtimeDir));
  }

  #stopService(): Promise<void> {
    return this.#service.stop(() => this.#bus?.drained(drainMs) ?? Promise.resolve(false));
  }
}
