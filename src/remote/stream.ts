// SPDX-License-Identifier: Apache-2.0
// The stream of one endpoint: its payload through a socket that the link thread serves. Here is who
// holds it, what is told to the holder, and what has to be undone when it ends.

import type { StreamNote, StreamOptions } from '../addon/types.ts';
import { anyAddress } from '../rpmsg/addresses.ts';
import { changes } from '../state/object-store.ts';
import { RpmsgdError } from '../util/errors.ts';
import type { LinkContext } from './context.ts';
import type { Endpoint } from './endpoint.ts';
import { streamFlags } from './stream-flags.ts';

/** What is told to whoever acquired it. */
export interface StreamPort {
  /** So many messages that were not kept for it. */
  overrun(dropped: number): void;
  /** So many packets that were not sent; the last had `bytes` bytes and was refused for `reason`. */
  refused(count: number, bytes: number, reason: string): void;
  /** There is an address that packets go to, or there is none any more. */
  readonly peerChanged?: (isThere: boolean) => void;
}

export interface StreamHolder {
  readonly sender: string;
  readonly uid: number;
  readonly port: StreamPort;
  /** Called once when the stream is over. */
  readonly ended: () => void;
}

/** The daemon itself, for a terminal: no client has this name. */
export const daemonHolder = { sender: '', uid: 0 } as const;

const ttyHoldsIt =
  "the channel's tty holds this endpoint; Channel.Open makes one of your own, [[channel]] tty = false ends it";

/** How often a holder is told of one and the same kind of thing at most. */
const noticeMs = 100;

/** The name of its descriptor in the service manager's store. */
export function descriptorName(endpoint: number): string {
  return `stream-${endpoint}`;
}

export class EndpointStream {
  readonly options: StreamOptions;
  /** The group its channel was narrowed to when it was acquired. */
  readonly group: string | undefined;
  readonly #context: LinkContext;
  readonly #endpoint: Endpoint;
  readonly #holder: StreamHolder;
  /** The link serves it. */
  #isOpen: boolean;
  #isOver = false;
  #dropped = 0;
  #refused = 0;
  #refusedBytes = 0;
  #refusal = '';
  #notice: NodeJS.Timeout | undefined;

  /** `isOpen`: it goes on from an earlier daemon. */
  constructor(
    context: LinkContext,
    endpoint: Endpoint,
    options: StreamOptions,
    holder: StreamHolder,
    isOpen: boolean,
  ) {
    this.#context = context;
    this.#endpoint = endpoint;
    this.options = options;
    this.group = endpoint.group;
    this.#holder = holder;
    this.#isOpen = isOpen;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** What whoever wants its endpoint is told: `why`, unless it is not a client that holds it. */
  busy(why: string): RpmsgdError {
    return new RpmsgdError('busy', this.#holder.sender === daemonHolder.sender ? ttyHoldsIt : why);
  }

  /**
   * Keeps `fd`, the daemon's end, for the next daemon. From here on it is found again, whenever this
   * process dies. The link does not serve it yet.
   */
  async keep(fd: number): Promise<void> {
    const { id } = this.#endpoint;
    await this.#context.descriptors.store(descriptorName(id), fd);
    if (this.#isOver) return;
    const { sender, uid } = this.#holder;
    const { hold } = this.options;
    const flags = this.#flags;
    const { group } = this;
    this.#context.store.commit(changes.stream({ endpoint: id, sender, uid, flags, hold, group }));
  }

  /** The link serves it from now on and owns `fd`, whatever comes. Throws RpmsgdError. */
  open(fd: number, firstSeq: number): void {
    const { id, device, peer = anyAddress } = this.#endpoint;
    const { generation } = device.remote;
    this.#isOpen = true;
    const flags = this.#flags;
    const { hold } = this.options;
    this.#context.link.openStream({ endpoint: id, fd, flags, hold, peer, generation, firstSeq });
  }

  peerChanged(): void {
    const { id, device, peer = anyAddress } = this.#endpoint;
    if (this.#isOpen) this.#context.link.setStreamPeer(id, peer, device.remote.generation);
    this.#holder.port.peerChanged?.(peer !== anyAddress);
  }

  /** Ends it, if the link serves it once that has: ended() follows. */
  close(): void {
    if (this.#isOpen) this.#context.link.closeStream(this.#endpoint.id);
    else this.#endpoint.endStream();
  }

  note({ dropped, refused, refusedBytes, refusal }: StreamNote): void {
    this.#dropped += dropped;
    this.#refused += refused;
    if (refused > 0) {
      this.#refusedBytes = refusedBytes;
      this.#refusal = refusal;
    }
    if (this.#notice !== undefined) return;
    this.#tell();
    this.#pause();
  }

  /** What comes meanwhile is told together, and once more only after as long again. */
  #pause(): void {
    this.#notice = setTimeout(() => {
      this.#notice = undefined;
      if (this.#tell()) this.#pause();
    }, noticeMs);
    this.#notice.unref();
  }

  /** It is over, for whatever reason. */
  ended(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#notice);
    this.#tell();
    const { id } = this.#endpoint;
    this.#context.store.commit(changes.noStream(id));
    this.#context.descriptors.remove(descriptorName(id));
    this.#holder.ended();
  }

  get #flags(): number {
    const { peer, channel } = this.#endpoint.spec;
    const isFixed = channel === undefined && peer !== undefined;
    return streamFlags(
      this.options,
      isFixed ? 'fixed' : channel === undefined ? 'learned' : 'channel',
    );
  }

  /** False: there was nothing to tell. */
  #tell(): boolean {
    const { port } = this.#holder;
    const isNews = this.#dropped > 0 || this.#refused > 0;
    if (this.#dropped > 0) port.overrun(this.#dropped);
    if (this.#refused > 0) port.refused(this.#refused, this.#refusedBytes, this.#refusal);
    this.#dropped = 0;
    this.#refused = 0;
    return isNews;
  }
}
