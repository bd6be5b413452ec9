// SPDX-License-Identifier: Apache-2.0
// Which channels have a pseudo-terminal: those that the configuration says, up to a limit a vdev. Each
// stays while its channel does, withdrawn or not, and over restarts of the daemon.

import { closeSync } from 'node:fs';
import { grantSlave, openPty, slavePath } from '../addon/pty.ts';
import type { LinkContext, TerminalHost } from '../remote/context.ts';
import type { Device } from '../remote/device.ts';
import type { Endpoint } from '../remote/endpoint.ts';
import { daemonHolder, descriptorName } from '../remote/stream.ts';
import type { Channel } from '../rpmsg/channels.ts';
import { changes } from '../state/object-store.ts';
import type { StreamRecord } from '../state/records.ts';
import { RpmsgdError } from '../util/errors.ts';
import { masterName, type Pair, packetsName, Terminal } from './terminal.ts';
import { linkName, TtyLinks } from './tty-links.ts';

/** Its members may use the terminals of channels that no other group is said for. */
export const defaultGroup = 'rpmsg';

/** Whether a stream that is stored is a terminal's. */
export function isOfTerminal({ sender }: StreamRecord): boolean {
  return sender === daemonHolder.sender;
}

export class Terminals implements TerminalHost {
  readonly #context: LinkContext;
  readonly #groupId: (name: string) => number | undefined;
  readonly #links: TtyLinks;
  readonly #byEndpoint = new Map<Endpoint, Terminal>();
  /** Masters of an earlier daemon whose sockets are lost. */
  readonly #masters = new Map<number, number>();
  #isStopped = false;

  /** `directory` is where the links are to be. */
  constructor(
    context: LinkContext,
    groupId: (name: string) => number | undefined,
    directory: () => string,
  ) {
    this.#context = context;
    this.#groupId = groupId;
    this.#links = new TtyLinks(directory);
  }

  /** Where the terminal of an endpoint is; undefined: it has none. */
  linkOf(endpoint: Endpoint | undefined): string | undefined {
    return endpoint === undefined ? undefined : this.#byEndpoint.get(endpoint)?.link;
  }

  /**
   * Goes on with those of an earlier daemon that are wanted still, for the same group. What else it left
   * in the descriptor store is left for others to drop.
   */
  resume(records: readonly StreamRecord[]): void {
    const inherited = this.#context.descriptors.inherited();
    for (const { endpoint: id, group } of records.filter(isOfTerminal)) {
      const endpoint = this.#context.deviceOf.get(id)?.endpoint(id);
      const isWanted = endpoint !== undefined && this.#isWanted(endpoint);
      if (!isWanted || endpoint.group !== group || !this.#resume(endpoint, inherited)) {
        this.#context.store.commit(changes.noStream(id));
      }
    }
  }

  /** Makes and ends terminals until there are those that are wanted. */
  refresh(devices: Iterable<Device>): void {
    for (const [endpoint, terminal] of this.#byEndpoint) {
      if (!this.#isWanted(endpoint)) terminal.end();
    }
    for (const device of devices) {
      for (const endpoint of device.endpoints) this.offer(endpoint);
    }
    this.#dropMasters();
    const names = [...this.#byEndpoint.keys()].map((endpoint) => this.#nameOf(endpoint));
    this.#links.keepOnly(new Set(names));
  }

  offer(endpoint: Endpoint): void {
    if (this.#isStopped || endpoint.isClosed || this.#byEndpoint.has(endpoint)) return;
    if (!this.#isWanted(endpoint)) return;
    try {
      this.#make(endpoint);
    } catch (err) {
      const { device, spec } = endpoint;
      const fields = { ...device.logFields, channel: spec.name, err };
      this.#context.log.warn(fields, 'the channel gets no terminal');
    }
  }

  /** Lets go of all; those that the service manager keeps are there for the next daemon. */
  stop(): void {
    this.#isStopped = true;
    for (const [endpoint, terminal] of this.#byEndpoint) {
      terminal.close();
      if (!terminal.isKept) this.#links.remove(this.#nameOf(endpoint));
    }
  }

  #isWanted({ spec }: Endpoint): boolean {
    return spec.kind === 'default' && this.#context.rule(spec.name)?.tty === true;
  }

  #resume(endpoint: Endpoint, inherited: Map<string, number>): boolean {
    const names = [masterName, packetsName, descriptorName].map((nameOf) => nameOf(endpoint.id));
    const [master, packets, served] = names.map((name) => inherited.get(name));
    if (master === undefined) return false;
    const [ofMaster = ''] = names;
    if (packets === undefined || served === undefined) {
      inherited.delete(ofMaster);
      this.#masters.set(endpoint.id, master);
      return false;
    }
    for (const name of names) inherited.delete(name);
    const terminal = this.#terminal(endpoint, { master, packets });
    terminal.resume(served);
    return true;
  }

  #make(endpoint: Endpoint): void {
    const { ttysPerDevice } = this.#context.limits();
    const others = [...this.#byEndpoint.keys()].filter(({ device }) => device === endpoint.device);
    if (others.length >= ttysPerDevice) {
      const rule = `limit ttys_per_device: ${ttysPerDevice} of this vdev have one`;
      throw new RpmsgdError('quota_exceeded', rule);
    }
    const master = this.#masters.get(endpoint.id) ?? openPty();
    this.#masters.delete(endpoint.id);
    const [served, packets] = this.#context.link.packetPair();
    const terminal = this.#terminal(endpoint, { master, packets });
    try {
      terminal.start(served);
    } catch (error) {
      closeSync(served);
      terminal.close();
      this.#forget(endpoint);
      throw error;
    }
    this.#tell(endpoint);
  }

  #terminal(endpoint: Endpoint, pair: Pair): Terminal {
    const name = this.#nameOf(endpoint);
    const link = this.#links.path(name);
    this.#admit(endpoint, pair.master, link);
    this.#links.set(name, slavePath(pair.master));
    const over = (hasFailed: boolean) => this.#over(endpoint, hasFailed);
    const terminal = new Terminal(this.#context, endpoint, link, pair, over);
    this.#byEndpoint.set(endpoint, terminal);
    return terminal;
  }

  /** Whom the channel is for; nobody but root and the daemon's own user if that cannot be had. */
  #admit(endpoint: Endpoint, master: number, link: string): void {
    const group = endpoint.group ?? defaultGroup;
    const gid = this.#groupId(group);
    const refusal = grantSlave(master, gid);
    if (gid !== undefined && refusal === undefined) return;
    const err = refusal ?? new Error('there is no group of this name');
    const text = `group ${group} may not open the terminal: ${adviceFor(group)}`;
    this.#context.log.warn({ ...endpoint.device.logFields, tty: link, err }, text);
  }

  #over(endpoint: Endpoint, hasFailed: boolean): void {
    if (this.#isStopped) return;
    const { id } = endpoint;
    this.#forget(endpoint);
    this.#tell(endpoint);
    for (const name of [masterName(id), packetsName(id)]) this.#context.descriptors.remove(name);
    // Ended by what it was: for another group, or by its socket. It is wanted as ever, or it is not.
    if (!hasFailed) setImmediate(() => this.offer(endpoint));
  }

  #forget(endpoint: Endpoint): void {
    this.#byEndpoint.delete(endpoint);
    this.#links.remove(this.#nameOf(endpoint));
  }

  #tell({ device, spec }: Endpoint): void {
    if (spec.channel !== undefined) this.#context.observer.ttyChanged(device, spec.channel);
  }

  #nameOf(endpoint: Endpoint): string {
    return linkName(endpoint, endpoint.spec.channel as Channel);
  }

  #dropMasters(): void {
    for (const [id, master] of this.#masters) {
      closeSync(master);
      this.#context.descriptors.remove(masterName(id));
    }
    this.#masters.clear();
  }
}

function adviceFor(group: string): string {
  return group === defaultGroup
    ? `the daemon must be a member of it (systemd/rpmsgd.service runs it with Group=${defaultGroup})`
    : 'the daemon must be a member of it: see /usr/share/doc/rpmsgd/examples/tty-group.conf';
}
