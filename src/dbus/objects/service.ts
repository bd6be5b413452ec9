// SPDX-License-Identifier: Apache-2.0
// org.rpmsg as a whole: joins the link, the models and the object tree, and stands between the
// configuration and all three.

import type { LinkApi } from '../../addon/link-api.ts';
import type {
  DeviceState,
  Evidence,
  LinkListener,
  OpenedRemote,
  ReceivedMessage,
  RemoteSetup,
  RemoteState,
  ResetCause,
  StreamNote,
} from '../../addon/types.ts';
import type { Config, RemoteConfig } from '../../config/types.ts';
import { Callers } from '../../remote/callers.ts';
import { Captures } from '../../remote/captures.ts';
import type { Descriptors, Logger } from '../../remote/context.ts';
import type { SendOutcome } from '../../remote/outbox.ts';
import { Remote } from '../../remote/remote.ts';
import { Restorer } from '../../remote/restore.ts';
import { closeStaticEndpoints, openStaticEndpoints } from '../../remote/static-endpoints.ts';
import { UidQuota } from '../../remote/uid-quota.ts';
import { changes, type ObjectStore } from '../../state/object-store.ts';
import { isOfTerminal, Terminals } from '../../tty/terminals.ts';
import { RpmsgdError } from '../../util/errors.ts';
import type { ClientRegistry } from '../index.ts';
import { Access, type GroupId, groupIdFromFile } from './access.ts';
import { adopt, type Core } from './core.ts';
import { Publisher, type Tree } from './publisher.ts';
import { ServiceContext } from './service-context.ts';
import { Streams } from './streams.ts';
import { type BusCalls, streamPort, subscriberPort } from './subscriber-port.ts';
import { Subscriptions } from './subscriptions.ts';

export interface ServiceDeps {
  readonly tree: Tree;
  readonly clients: Pick<ClientRegistry, 'onVanish' | 'credentials' | 'exists'>;
  readonly bus: BusCalls;
  readonly log: Logger;
  readonly config: Config;
  /** Of the daemon: Manager.Version. */
  readonly version: string;
  /** What Manager.Reload does: read and check the configuration, then call applyReload. */
  readonly reload: () => Promise<void>;
  /** The board behind a remote is gone for good: the daemon is to end. */
  readonly boardGone: (remote: string) => void;
  readonly groupId?: GroupId;
  readonly descriptors: Descriptors;
  /** Where the links to terminals are; asked once there is a link. */
  readonly ttyDirectory: () => string;
}

/** What of an earlier daemon there is to go on with. */
export interface Past {
  /** Reads what is stored. Throws RpmsgdError. */
  readonly openStore: () => ObjectStore;
  /** How the link is to open each remote, with where it keeps its state. */
  readonly setups: readonly RemoteSetup[];
}

/** How often grants are looked at again, in case dropped messages stand before what clients want. */
const refreshMs = 1_000;
/** How long the link is given to do what it was asked to do before a stop. */
const settleMs = 1_000;
const unknownChannels =
  'the remote lives on, but the file with its channels and endpoints is gone: it has none until it is ' +
  'reset and announces them again';
/** Nobody else syncs with the endpoints of the name service. */
const settleTag = 1;

export class RpmsgService implements LinkListener {
  readonly #deps: ServiceDeps;
  readonly #context: ServiceContext;
  readonly #core: Core & { isStopping: boolean };
  readonly #publisher: Publisher;
  readonly #remotes = new Map<number, Remote>();
  #refresh: NodeJS.Timeout | undefined;
  #settled = () => {};
  /** Stored endpoints with an owner, of remotes that are not configured now. */
  #ownedElsewhere: readonly number[] = [];

  constructor(deps: ServiceDeps) {
    const { tree, clients, bus, log, version, reload, groupId = groupIdFromFile } = deps;
    this.#deps = deps;
    this.#context = new ServiceContext(
      deps,
      () => this.#publisher,
      () => this.#core.terminals,
    );
    this.#core = {
      isStopping: false,
      version,
      context: this.#context,
      callers: new Callers((sender, callback) => clients.onVanish(sender, callback)),
      access: new Access(clients, groupId),
      endpointQuota: new UidQuota('endpoints', 'limit endpoints_per_uid'),
      subscriptions: new Subscriptions(
        this.#context,
        new UidQuota('subscriptions', 'limit subscriptions_per_uid'),
        (path, sender) => subscriberPort({ tree, bus, log }, path, sender),
      ),
      streams: new Streams(
        this.#context,
        new UidQuota('streams', 'limit streams_per_uid'),
        (path, sender) => streamPort(tree, path, sender),
      ),
      terminals: new Terminals(this.#context, groupId, deps.ttyDirectory),
      captures: new Captures(this.#context, () => this.remotes, version),
      reload,
    };
    this.#publisher = new Publisher(tree, this.#core);
  }

  /** The remotes, in the order of the configuration. */
  get remotes(): readonly Remote[] {
    return [...this.#remotes.values()];
  }

  /** Clients that hold or have asked for something. */
  get clientCount(): number {
    return this.#core.callers.size;
  }

  /**
   * Opens every remote of the configuration on the link, makes the objects of an earlier daemon
   * again, and the endpoints that the configuration wants. `start` starts the link: at once where
   * remotes live on, which may wait in a loop until they are drained and have their endpoints, and
   * only then where they begin to speak. Throws RpmsgdError: the caller closes the link.
   */
  attachLink(link: LinkApi, { openStore, setups }: Past, start: () => void): void {
    const { remotes } = this.#context.config;
    const opened = setups.map((setup) => link.openRemote(setup));
    const isAlive = opened.length > 0 && opened.every(({ resume }) => resume !== 'cold');
    if (isAlive) start();
    const store = openStore();
    this.#context.attach(link, store);
    // Whoever is new is numbered beyond all that are kept.
    for (const { id } of opened.flatMap(({ endpoints }) => endpoints)) this.#context.reserveId(id);
    for (const [index, config] of remotes.entries()) this.#restore(config, opened[index]);
    for (const record of store.found.subscriptions) {
      this.#core.subscriptions.restore(record, this.#core.callers);
    }
    this.#core.terminals.resume(store.found.streams);
    this.#core.streams.restore(store.found.streams.filter((record) => !isOfTerminal(record)));
    link.dropUnclaimed();
    for (const remote of this.#remotes.values()) {
      openStaticEndpoints(remote, remote.config.endpoints);
    }
    this.#ownedElsewhere = store.found.endpoints
      .filter(
        ({ remote, owner }) => owner !== undefined && !remotes.some(({ name }) => name === remote),
      )
      .map(({ id }) => id);
    this.#core.terminals.refresh(this.#devices());
    store.restored();
    if (!isAlive) start();
    this.#refresh = setInterval(() => this.#refreshGrants(), refreshMs);
    this.#refresh.unref();
  }

  #restore(config: RemoteConfig, opened: OpenedRemote | undefined): void {
    if (opened === undefined) return;
    const { resume, reason, generation } = opened;
    const remote = new Remote(this.#context, config, opened);
    this.#remotes.set(opened.index, remote);
    const level = resume === 'lost' ? 'warn' : 'info';
    this.#deps.log[level]({ remote: config.name, resume, reason, generation }, 'remote opened');
    if (resume !== 'cold' && !this.#context.store.found.remotes.has(config.name)) {
      this.#deps.log.warn({ remote: config.name }, unknownChannels);
    }
    const restorer = new Restorer(this.#context, remote, opened, (owner, device, id) =>
      adopt(this.#core, owner, device, id),
    );
    restorer.restore(config.endpoints);
  }

  /**
   * Parts with clients of an earlier daemon that have left since, or all of them on another bus.
   * Whoever leaves is followed by now; nothing is published yet.
   */
  async meetClients(busId: string): Promise<void> {
    const { store } = this.#context;
    const isSameBus = store.found.busId === busId;
    const exists = (sender: string) => this.#deps.clients.exists(sender);
    await this.#core.callers.meet(isSameBus ? exists : () => Promise.resolve(false));
    if (isSameBus) return;
    store.commit(changes.bus(busId), ...this.#ownedElsewhere.map(changes.noEndpoint));
  }

  /** With the name owned: from now on clients know who speaks to them. */
  greetClients(): void {
    this.#core.subscriptions.go();
  }

  /** Publishes the whole tree, with attachLink done and before the name is owned. */
  publish(): void {
    this.#publisher.publish(this.#remotes.values());
  }

  /**
   * Applies limits, channel rules and static endpoints of a configuration that was checked against
   * the one in force. What exists keeps its queue lengths. Resolves when it is all in force.
   */
  async applyReload(config: Config): Promise<void> {
    const before = this.#context.config;
    this.#context.use(config);
    this.#publisher.limitsChanged();
    for (const remote of this.#remotes.values()) {
      for (const device of remote.devices) {
        device.refreshGroups();
        device.endNarrowedStreams();
      }
      const old = before.remotes.find(({ name }) => name === remote.name)?.endpoints ?? [];
      const wanted = config.remotes.find(({ name }) => name === remote.name)?.endpoints ?? [];
      await closeStaticEndpoints(remote, old, wanted);
      openStaticEndpoints(remote, wanted);
    }
    this.#core.terminals.refresh(this.#devices());
  }

  /**
   * Ends all that waits and every later call with ShuttingDown, once what is on its way has arrived.
   * Subscriptions, and messages nobody has had, are left to the next daemon. `drained` resolves when
   * the bus has taken everything, or to false. The link runs until then, and is the caller's to close.
   */
  async stop(drained: () => Promise<boolean> = () => Promise.resolve(true)): Promise<void> {
    if (this.#core.isStopping) return;
    this.#core.isStopping = true;
    clearInterval(this.#refresh);
    const error = new RpmsgdError('shutting_down', 'the daemon is stopping');
    for (const device of this.#devices()) {
      for (const { delivery } of device.endpoints) delivery.stop(error);
    }
    for (const remote of this.#remotes.values()) remote.reported();
    // What the link has put into a ring by now was sent; the rest will not be.
    this.#context.outbox.cancelAll();
    await this.linkSettled();
    this.#context.outbox.failAll('shutting_down');
    if (await drained()) this.#core.subscriptions.save();
    await this.linkSettled();
    this.freeze();
    for (const device of this.#devices()) device.abandonClosing();
  }

  /** From now on nothing that happens here changes what the next daemon is to find. */
  freeze(): void {
    this.#core.isStopping = true;
    this.#core.callers.freeze();
    this.#context.freeze();
    this.#core.terminals.stop();
  }

  /** Resolves when the link has done what it was asked to do, and told what it knows; or after a second. */
  linkSettled(): Promise<void> {
    const [device] = this.#devices();
    if (device === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, settleMs);
      this.#settled = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#context.link.sync(device.nameServiceId, settleTag);
    });
  }

  remoteState(remote: number, state: RemoteState, generation: number, reason: string): void {
    const found = this.#remotes.get(remote);
    if (found === undefined) return;
    const level = state === 'faulted' ? 'warn' : 'info';
    this.#deps.log[level]({ remote: found.name, state, generation, reason }, 'remote state');
    found.setState(state, generation, reason);
  }

  remoteReset(remote: number, generation: number, cause: ResetCause, timeNs: bigint): void {
    const found = this.#remotes.get(remote);
    if (found === undefined) return;
    this.#deps.log.info({ remote: found.name, cause, generation }, 'remote reset');
    found.reset(generation, cause, timeNs);
  }

  remotePartition(remote: number, partition: number): void {
    const found = this.#remotes.get(remote);
    if (found === undefined) return;
    this.#deps.log.info({ remote: found.name, partition }, 'the remote has a partition');
    found.setPartition(partition);
  }

  remoteReady(remote: number, _generation: number, evidence: Evidence): void {
    const found = this.#remotes.get(remote);
    if (found !== undefined) this.#publisher.ready(found, evidence);
  }

  deviceState(remote: number, vdev: number, state: DeviceState, reason: string): void {
    const device = this.#remotes.get(remote)?.devices[vdev];
    if (device === undefined) return;
    const level = state === 'faulted' ? 'warn' : 'debug';
    this.#deps.log[level]({ ...device.logFields, state, reason }, 'vdev state');
    device.setState(state, reason);
  }

  message(endpoint: number, message: ReceivedMessage): void {
    this.#context.deviceOf.get(endpoint)?.message(endpoint, message);
  }

  synced(endpoint: number, tag: number): void {
    if (this.#context.deviceOf.get(endpoint)?.nameServiceId === endpoint) this.#settled();
    this.#context.deviceOf.get(endpoint)?.synced(endpoint, tag);
  }

  streamNote(endpoint: number, note: StreamNote): void {
    this.#context.deviceOf.get(endpoint)?.streamNote(endpoint, note);
  }

  streamOver(endpoint: number, nextSeq: number): void {
    this.#context.deviceOf.get(endpoint)?.streamOver(endpoint, nextSeq);
  }

  captureOver(capture: number): void {
    this.#core.captures.over(capture);
  }

  sendDone(token: number, result: SendOutcome): void {
    this.#context.outbox.sendDone(token, result);
  }

  endpointClosed(endpoint: number): void {
    this.#context.deviceOf.get(endpoint)?.endpointClosed(endpoint);
  }

  boardGone(remote: number): void {
    const found = this.#remotes.get(remote);
    if (found === undefined) return;
    this.#deps.log.error({ remote: found.name }, 'the board behind this remote is gone');
    found.boardGone();
    this.#deps.boardGone(found.name);
  }

  #refreshGrants(): void {
    for (const device of this.#devices()) {
      for (const { delivery } of device.endpoints) delivery.refresh();
      device.releaseAnnouncements();
    }
  }

  *#devices() {
    for (const remote of this.#remotes.values()) yield* remote.devices;
  }
}
