// SPDX-License-Identifier: Apache-2.0
// Who holds streams, over the life of this daemon and from that of the one before it.

import { closeSync } from 'node:fs';
import type { LinkContext } from '../../remote/context.ts';
import { descriptorName, type StreamHolder, type StreamPort } from '../../remote/stream.ts';
import { streamOptionsOf } from '../../remote/stream-flags.ts';
import type { UidQuota } from '../../remote/uid-quota.ts';
import { changes } from '../../state/object-store.ts';
import type { StreamRecord } from '../../state/records.ts';
import { RpmsgdError } from '../../util/errors.ts';
import { endpointPath } from './paths.ts';

/** The way to the holder of a stream of the endpoint at `path`. */
export type MakeStreamPort = (path: string, sender: string) => StreamPort;

export class Streams {
  readonly #context: LinkContext;
  readonly #quota: UidQuota;
  readonly #port: MakeStreamPort;

  constructor(context: LinkContext, quota: UidQuota, port: MakeStreamPort) {
    this.#context = context;
    this.#quota = quota;
    this.#port = port;
  }

  /** Throws RpmsgdError quota_exceeded. */
  hold(path: string, sender: string, uid: number): StreamHolder {
    return this.#hold(path, sender, uid, this.#context.limits().streamsPerUid);
  }

  /** Goes on with those of an earlier daemon whose sockets are still there. */
  restore(records: readonly StreamRecord[]): void {
    const { descriptors, link, store } = this.#context;
    const inherited = descriptors.inherited();
    for (const record of records) {
      const fd = inherited.get(descriptorName(record.endpoint));
      if (fd !== undefined && this.#resume(record, fd)) {
        inherited.delete(descriptorName(record.endpoint));
      } else {
        store.commit(changes.noStream(record.endpoint));
      }
    }
    link.dropUnresumed();
    for (const [name, fd] of inherited) {
      closeSync(fd);
      descriptors.remove(name);
    }
    inherited.clear();
  }

  #resume({ endpoint: id, sender, uid, flags, hold, group }: StreamRecord, fd: number): boolean {
    const endpoint = this.#context.deviceOf.get(id)?.endpoint(id);
    // As with a Reload: its holder was never asked about another group.
    if (endpoint === undefined || endpoint.group !== group) return false;
    const { link } = this.#context;
    const isServed = link.resumeStream(id, fd);
    const holder = this.#hold(endpointPath(endpoint), sender, uid, Number.POSITIVE_INFINITY);
    const options = streamOptionsOf(flags, hold);
    const { stream, firstSeq } = endpoint.startStream(options, holder, isServed);
    if (isServed) return true;
    // Its client was given the other end, and the daemon died before the link had ours.
    try {
      stream.open(fd, firstSeq);
    } catch (error) {
      if (!(error instanceof RpmsgdError)) throw error;
      endpoint.endStream();
    }
    return true;
  }

  #hold(path: string, sender: string, uid: number, limit: number): StreamHolder {
    const ended = this.#quota.take(uid, limit);
    return { sender, uid, port: this.#port(path, sender), ended };
  }
}
