// SPDX-License-Identifier: Apache-2.0
// org.rpmsg as a whole: joins the link, the models and the object tree, and stands between the
// configuration and all three.

import type { LinkApi } from '../../addon/link-api.ts';
import type {
  DeviceState,
  LinkListener,
  ReceivedMessage,
  RemoteState,
  ResetCause,
} from '../../addon/types.ts';
import type { Config } from '../../config/types.ts';
import { Callers } from '../../remote/callers.ts';
import type { Logger } from '../../remote/context.ts';
import type { SendOutcome } from '../../remote/outbox.ts';
import { Remote } from '../../remote/remote.ts';
import { closeStaticEndpoints, openStaticEndpoints } from '../../remote/static-endpoints.ts';
import { UidQuota } from '../../remote/uid-quota.ts';
import { RpmsgdError } from '../../util/errors.ts';
import type { ClientRegistry } from '../index.ts';
import { Access, type GroupId, groupIdFromFile } from './access.ts';
import type { Core } from './core.ts';
import { Publisher, type Tree } from './publisher.ts';
import { ServiceContext } from './service-context.ts';
import { type BusCalls, subscriberPort } from './subscriber-port.ts';

export interface ServiceDeps {
  readonly tree: Tree;
  readonly clients: Pick<ClientRegistry, 'onVanish' | 'credentials'>;
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
}

/** How often grants are looked at again, in case dropped messages stand before what clients want. */
const refreshMs = 1_000;

export class RpmsgService implements LinkListener {
  readonly #deps: ServiceDeps;
  readonly #context: ServiceContext;
  readonly #core: Core & { isStopping: boolean };
  readonly #publisher: Publisher;
  readonly #remotes = new Map<number, Remote>();
  #refresh: NodeJS.Timeout | undefined;

  constructor(deps: ServiceDeps) {
    const { tree, clients, bus, log, version, reload, groupId = groupIdFromFile } = deps;
    this.#deps = deps;
    this.#context = new ServiceContext(deps.config, log, () => this.#publisher);
    this.#core = {
      isStopping: false,
      version,
      context: this.#context,
      callers: new Callers((sender, callback) => clients.onVanish(sender, callback)),
      access: new Access(clients, groupId),
      endpointQuota: new UidQuota('endpoints', 'limit endpoints_per_uid'),
      subscriptionQuota: new UidQuota('subscriptions', 'limit subscriptions_per_uid'),
      reload,
      subscriberPort: (path, sender) => subscriberPort({ tree, bus, log }, path, sender),
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
   * Opens every remote of the configuration on the link, which is not started yet, and the endpoints
   * that the configuration wants. Throws RpmsgdError: the caller closes the link.
   */
  attachLink(link: LinkApi): void {
    this.#context.attach(link);
    for (const config of this.#context.config.remotes) {
      const { index } = link.openRemote({ ...config.setup, stateFile: '' });
      const remote = new Remote(this.#context, config, index);
      this.#remotes.set(index, remote);
      openStaticEndpoints(remote, config.endpoints);
    }
    this.#refresh = setInterval(() => this.#refreshGrants(), refreshMs);
    this.#refresh.unref();
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
      for (const device of remote.devices) device.refreshGroups();
      const old = before.remotes.find(({ name }) => name === remote.name)?.endpoints ?? [];
      const wanted = config.remotes.find(({ name }) => name === remote.name)?.endpoints ?? [];
      await closeStaticEndpoints(remote, old, wanted);
      openStaticEndpoints(remote, wanted);
    }
  }

  /**
   * Ends all that waits and every later call with ShuttingDown. The link is the caller's to close,
   * before this or after it.
   */
  stop(): void {
    if (this.#core.isStopping) return;
    this.#core.isStopping = true;
    clearInterval(this.#refresh);
    const error = new RpmsgdError('shutting_down', 'the daemon is stopping');
    for (const device of this.#devices()) {
      for (const endpoint of device.endpoints) endpoint.delivery.close(error);
    }
    this.#context.outbox.failAll('shutting_down');
    for (const remote of this.#remotes.values()) remote.reported();
    for (const device of this.#devices()) device.abandonClosing();
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

  remoteReady(remote: number, _generation: number, evidence: 'rxdb' | 'flag' | 'timeout'): void {
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
    this.#context.deviceOf.get(endpoint)?.synced(endpoint, tag);
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
    }
  }

  *#devices() {
    for (const remote of this.#remotes.values()) yield* remote.devices;
  }
}
