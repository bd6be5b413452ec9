// SPDX-License-Identifier: Apache-2.0
// One vdev of a remote: the channels it announced, the endpoints at its local addresses, and what its
// coming and going means for both.

import type { DeviceState, KeptEndpoint, ReceivedMessage, StreamNote } from '../addon/types.ts';
import { AddressSpace, anyAddress, printAddress } from '../rpmsg/addresses.ts';
import { channelName } from '../rpmsg/channel-name.ts';
import { type Channel, ChannelRegistry } from '../rpmsg/channels.ts';
import { nameServiceAddress } from '../rpmsg/name-service.ts';
import type { Change } from '../state/change-log.ts';
import { changes } from '../state/object-store.ts';
import type { ChannelRecord } from '../state/records.ts';
import { type ErrorCode, RpmsgdError } from '../util/errors.ts';
import { AddressGroups } from './address-groups.ts';
import { Announcer } from './announcer.ts';
import type { LinkContext } from './context.ts';
import { Endpoint, type EndpointSpec } from './endpoint.ts';
import { NameIntake } from './name-intake.ts';
import type { Remote } from './remote.ts';
import { channelChange, channelKey, type Kept } from './stored.ts';

/** Bytes of the RPMsg header, which a buffer holds besides the payload. */
const headerBytes = 16;
/** Announcements that may wait for this process to take them. */
const nameServiceQueue = 512;

export class Device {
  readonly remote: Remote;
  readonly index: number;
  /** Bytes of payload a message has at most. */
  readonly mtu: number;
  /** Buffers each way. */
  readonly bufferCount: number;
  readonly channels: ChannelRegistry;
  state: DeviceState = 'down';
  /** Announcements of a former life that came too late to matter. */
  staleAnnouncements = 0;
  readonly #context: LinkContext;
  readonly #addresses = new AddressSpace();
  readonly #endpoints = new Map<number, Endpoint>();
  /** The endpoints of each channel, its default one first. */
  readonly #bound = new Map<Channel, Set<Endpoint>>();
  /** Closed here, not yet by the link. */
  readonly #closing = new Map<number, { endpoint: Endpoint; closed: (() => void)[] }>();
  readonly #announcer: Announcer;
  readonly #names: NameIntake;
  /** In this life of the remote it has been open, and the remote was told what it is to know. */
  #hasBegun = false;
  readonly #groups: AddressGroups;

  /** `kept`: what an earlier daemon left on this vdev. */
  constructor(
    context: LinkContext,
    remote: Remote,
    index: number,
    kept: readonly KeptEndpoint[] = [],
  ) {
    const { bufferBytes, descriptors } = remote.config.setup;
    this.#context = context;
    this.remote = remote;
    this.index = index;
    this.mtu = bufferBytes - headerBytes;
    this.bufferCount = descriptors;
    this.channels = new ChannelRegistry((channel) => this.#canForget(channel));
    this.#groups = new AddressGroups(context, remote.index, index);
    const names = kept.find(({ local }) => local === nameServiceAddress) ?? this.#unused();
    this.#openRaw(names, nameServiceAddress, nameServiceQueue);
    this.#announcer = new Announcer(context, this, names.id);
    this.#names = new NameIntake(context, remote.name, index, names.id);
    context.link.grant(names.id, Number.MAX_SAFE_INTEGER);
  }

  /** Whether messages can be sent; a remote may be there and still silent. */
  get isOpen(): boolean {
    if (this.remote.state === 'quiescing') return false;
    return this.state === 'offered' || this.state === 'up';
  }

  /** Why nothing can be sent while it is not open. */
  get closedCode(): ErrorCode {
    return this.state === 'faulted' ? 'faulted' : 'remote_down';
  }

  get nameServiceId(): number {
    return this.#announcer.id;
  }

  endpoint(id: number): Endpoint | undefined {
    return this.#endpoints.get(id);
  }

  get endpoints(): Iterable<Endpoint> {
    return this.#endpoints.values();
  }

  defaultEndpoint(channel: Channel): Endpoint | undefined {
    return this.#bound.get(channel)?.values().next().value;
  }

  /** The group that alone may send to this address. */
  groupOf(address: number): string | undefined {
    return this.#groups.of(address);
  }

  tooLong(bytes: number, what = 'the message'): RpmsgdError {
    return new RpmsgdError(
      'message_too_long',
      `${what} has ${bytes} bytes; one message of this vdev carries ${this.mtu} at most`,
    );
  }

  /**
   * `kept`: it was an earlier daemon's. Throws RpmsgdError address_in_use, quota_exceeded,
   * invalid_argument, or os when it cannot be stored, with nothing changed.
   */
  open(spec: EndpointSpec, kept?: Kept): Endpoint {
    const { log, observer } = this.#context;
    const { rxQueue = this.#context.limits().rxQueue } = spec;
    const local = this.#takeAddress(spec.local);
    const numbers = kept ?? this.#unused();
    const { id } = numbers;
    try {
      this.#openRaw(numbers, local, rxQueue);
    } catch (error) {
      this.#addresses.release(local);
      throw error;
    }
    const endpoint = new Endpoint(this.#context, this, spec, local, rxQueue, numbers);
    this.#endpoints.set(id, endpoint);
    if (spec.channel !== undefined) this.#bind(spec.channel, endpoint);
    if (kept === undefined && spec.kind !== 'default') this.#store(endpoint);
    endpoint.settle();
    if (spec.kind !== 'default') observer.endpointAdded(endpoint);
    log.debug({ endpoint: id, local: printAddress(local), kind: spec.kind }, 'endpoint opened');
    if (spec.announce === true && this.isOpen) this.#announcer.announce(endpoint);
    return endpoint;
  }

  /** A channel of an earlier daemon, before anything is published. Throws RpmsgdError as open. */
  restoreChannel(record: ChannelRecord, isAlive: boolean, kept: Kept): void {
    const { raw, ordinal, address, endpoint } = record;
    const name = channelName(Buffer.from(raw, 'latin1'));
    const channel = this.channels.restore(name, ordinal, address, isAlive);
    const { local, rxQueue } = endpoint;
    try {
      this.open({ kind: 'default', name: name.display, local, channel, rxQueue }, kept);
    } catch (error) {
      this.channels.forget(channel);
      throw error;
    }
    this.refreshGroups();
  }

  /** `closed` is called when its address is free again. What waits on it ends with no_such_endpoint. */
  close(endpoint: Endpoint, closed: () => void = () => {}): void {
    const { id, spec } = endpoint;
    const closing = this.#closing.get(id);
    if (closing !== undefined) {
      closing.closed.push(closed);
      return;
    }
    if (!this.#endpoints.delete(id)) {
      closed();
      return;
    }
    endpoint.isClosed = true;
    this.#closing.set(id, { endpoint, closed: [closed] });
    // Stored first: an endpoint that is only the link's is nobody's, and ends with a restart.
    if (spec.kind !== 'default') this.#context.store.commit(changes.noEndpoint(id));
    if (spec.channel !== undefined) this.#bound.get(spec.channel)?.delete(endpoint);
    if (spec.announce === true && this.isOpen) this.#announcer.withdraw(endpoint);
    endpoint.endStream();
    endpoint.delivery.close(
      new RpmsgdError('no_such_endpoint', `endpoint "${spec.name}" was closed meanwhile`),
    );
    this.#context.link.closeEndpoint(id);
    if (spec.kind !== 'default') this.#context.observer.endpointRemoved(endpoint);
    spec.ownership?.ended();
  }

  /** What the link says once nothing more comes for it. */
  endpointClosed(id: number): void {
    const closing = this.#closing.get(id);
    if (closing === undefined) return;
    this.#closing.delete(id);
    this.#context.deviceOf.delete(id);
    this.#addresses.release(closing.endpoint.local);
    for (const closed of closing.closed) closed();
  }

  /** The link will say nothing any more: whoever waits for a close has waited long enough. */
  abandonClosing(): void {
    for (const id of [...this.#closing.keys()]) this.endpointClosed(id);
  }

  message(id: number, message: ReceivedMessage): void {
    if (id === this.nameServiceId) this.#announced(message);
    else this.#endpoints.get(id)?.receive(message);
  }

  streamNote(id: number, note: StreamNote): void {
    this.#endpoints.get(id)?.streamNote(note);
  }

  streamOver(id: number, nextSeq: number): void {
    this.#endpoints.get(id)?.endStream(nextSeq);
  }

  synced(id: number, tag: number): void {
    this.#endpoints.get(id)?.delivery.synced(tag);
  }

  /** `reason` says, for people, why it is faulted. */
  setState(state: DeviceState, reason = ''): void {
    if (state === this.state) return;
    if (state === 'faulted') this.remote.vdevFaulted(this.index, reason);
    this.state = state;
    this.#context.observer.deviceChanged(this);
    if (state === 'down' || state === 'faulted') this.endLife();
    else this.refresh();
    this.remote.reported();
  }

  /** After the state of this vdev or of the remote has changed. */
  refresh(): void {
    const begins = this.isOpen && !this.#hasBegun;
    this.#hasBegun ||= begins;
    for (const endpoint of this.#endpoints.values()) {
      endpoint.refresh();
      const isNews = endpoint.spec.announce === true && !endpoint.isAnnounced;
      if (begins && isNews) this.#announcer.announce(endpoint);
    }
  }

  /** The remote is gone or new: its channels are withdrawn, what it taught is forgotten. */
  endLife(): void {
    const { observer } = this.#context;
    this.#hasBegun = false;
    const withdrawn = this.channels.withdrawAll();
    for (const { channel } of withdrawn) observer.channelChanged(this, channel);
    for (const endpoint of this.#endpoints.values()) endpoint.forgetPeer();
    for (const { channel, address } of withdrawn) {
      observer.channelWithdrawn(this, channel, address);
    }
    this.refreshGroups();
  }

  /** After the configuration's rules or the live channels have changed. */
  refreshGroups(): void {
    this.#groups.refresh(this.channels);
  }

  /** Those of channels that are another group's now: who holds them was never asked about it. */
  endNarrowedStreams(): void {
    for (const { stream, group } of this.#endpoints.values()) {
      if (stream !== undefined && stream.group !== group) stream.close();
    }
  }

  /** Messages that a stream may hold at most: others find room on the vdev even then. */
  get mostHeld(): number {
    return Math.max(1, this.remote.config.setup.slots >> 1);
  }

  #takeAddress(local: number): number {
    if (local === anyAddress) return this.#addresses.allocate();
    this.#addresses.claim(local);
    return local;
  }

  #unused(): Kept {
    return { id: this.#context.nextEndpointId(), firstSeq: 0, nextSeq: 0 };
  }

  #openRaw({ id, nextSeq }: Kept, local: number, rxQueue: number): void {
    const txCredits = Math.max(1, this.bufferCount >> 1);
    const { index: remote } = this.remote;
    const vdev = this.index;
    this.#context.link.openEndpoint({ id, remote, vdev, local, rxQueue, txCredits, nextSeq });
    this.#context.deviceOf.set(id, this);
  }

  #store(endpoint: Endpoint): void {
    if (endpoint.store()) return;
    this.close(endpoint);
    throw new RpmsgdError('os', `endpoint "${endpoint.spec.name}" cannot be stored`);
  }

  #bind(channel: Channel, endpoint: Endpoint): void {
    const bound = this.#bound.get(channel) ?? new Set();
    bound.add(endpoint);
    this.#bound.set(channel, bound);
  }

  /** Nobody has an endpoint on it but the daemon, and nobody uses that one. */
  #canForget(channel: Channel): boolean {
    const bound = [...(this.#bound.get(channel) ?? [])];
    return bound.every((endpoint) => !endpoint.isUsed);
  }

  #announced(message: ReceivedMessage): void {
    this.#names.take(message, () => {
      if (message.generation === this.remote.generation)
        return this.#takeAnnouncement(message.data);
      this.staleAnnouncements++;
      return [];
    });
  }

  /** Lets the link forget the announcements whose effect is stored. */
  releaseAnnouncements(): void {
    this.#names.release();
  }

  /** What is to be stored. */
  #takeAnnouncement(payload: Buffer): readonly Change[] {
    const { log } = this.#context;
    const outcome = this.channels.receive(payload, this.#context.limits().channelsPerDevice);
    switch (outcome.kind) {
      case 'created':
        return [
          ...(outcome.evicted === undefined ? [] : this.#forget(outcome.evicted)),
          ...this.#added(outcome.channel),
        ];
      case 'revived':
        this.#context.observer.channelChanged(this, outcome.channel);
        this.#alive(outcome.channel);
        return this.#channelChanges(outcome.channel);
      case 'withdrawn':
        this.#withdrawn(outcome.channel, outcome.address);
        return this.#channelChanges(outcome.channel);
      case 'duplicate':
        log.warn(
          { ...this.logFields, channel: outcome.channel.name.display, cause: 'silent-restart' },
          'a live channel was announced again: the remote seems to have restarted without telling',
        );
        this.remote.restartSuspected(this.index, outcome.channel.name.display);
        return [];
      case 'ignored':
        log.debug({ ...this.logFields, why: outcome.why }, 'announcement ignored');
        return [];
    }
  }

  get logFields(): { remote: string; vdev: number } {
    return { remote: this.remote.name, vdev: this.index };
  }

  #channelChanges(channel: Channel): readonly Change[] {
    const endpoint = this.defaultEndpoint(channel);
    if (endpoint === undefined) return [];
    const numbered = this.#context.store.numbered(endpoint.id);
    return [channelChange(this, channel, endpoint), ...numbered];
  }

  #added(channel: Channel): readonly Change[] {
    const name = channel.name.display;
    try {
      const endpoint = this.open({ kind: 'default', name, local: anyAddress, channel });
      this.#context.terminals.offer(endpoint);
      this.#context.observer.channelAdded(this, channel, endpoint);
    } catch (error) {
      this.channels.forget(channel);
      this.channels.counters.refused++;
      this.#context.log.warn({ ...this.logFields, channel: name, err: error }, 'channel refused');
      return [];
    }
    this.#alive(channel);
    return this.#channelChanges(channel);
  }

  #alive(channel: Channel): void {
    const { observer, log } = this.#context;
    const { display } = channel.name;
    const address = channel.lastAddress;
    this.refreshGroups();
    for (const endpoint of this.#bound.get(channel) ?? []) endpoint.refresh();
    observer.channelAnnounced(this, channel, address);
    log.debug({ ...this.logFields, channel: display, address }, 'channel announced');
    const greeter = this.defaultEndpoint(channel);
    if (this.#context.rule(display)?.hello === true && greeter !== undefined) {
      this.#announcer.greet(greeter, address);
    }
  }

  #withdrawn(channel: Channel, address: number): void {
    this.refreshGroups();
    this.#context.observer.channelChanged(this, channel);
    for (const endpoint of this.#bound.get(channel) ?? []) endpoint.refresh();
    this.#context.observer.channelWithdrawn(this, channel, address);
  }

  /** Its place is needed. */
  #forget(channel: Channel): readonly Change[] {
    for (const endpoint of [...(this.#bound.get(channel) ?? [])]) this.close(endpoint);
    this.#bound.delete(channel);
    this.#context.observer.channelRemoved(this, channel);
    return [changes.noChannel(channelKey(this, channel))];
  }
}
