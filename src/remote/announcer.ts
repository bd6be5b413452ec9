// SPDX-License-Identifier: Apache-2.0
// What the daemon itself says to a remote: announcements of endpoints that asked for it, and
// greetings. Sent as best can be: a remote that takes no messages misses them, and the log says so.

import { encodeAnnouncement, nameServiceAddress } from '../rpmsg/name-service.ts';
import type { LinkContext } from './context.ts';
import type { Device } from './device.ts';
import type { Endpoint } from './endpoint.ts';
import type { SendOutcome, SendQueue } from './outbox.ts';

const greeting = new Uint8Array(0);

export class Announcer implements SendQueue {
  /** The endpoint at the name service's address. */
  readonly id: number;
  waitingSends = 0;
  readonly #context: LinkContext;
  readonly #device: Device;

  constructor(context: LinkContext, device: Device, id: number) {
    this.#context = context;
    this.#device = device;
    this.id = id;
  }

  /** From the endpoint's own address, as Linux does it. */
  announce(endpoint: Endpoint): void {
    const payload = encodeAnnouncement(endpoint.spec.name, endpoint.local, 'create');
    this.#send(endpoint, nameServiceAddress, payload, 'announce', () => endpoint.announced());
  }

  withdraw(endpoint: Endpoint): void {
    const payload = encodeAnnouncement(endpoint.spec.name, endpoint.local, 'destroy');
    const { outbox } = this.#context;
    const start = outbox.send(endpoint, nameServiceAddress, payload, undefined, 0, () => {});
    // The endpoint closes now and takes along what waits on it: what must wait does so here.
    if (start !== 'sent') this.#send(this, nameServiceAddress, payload, 'withdraw');
  }

  /** An empty message: it tells the remote our address and nothing else. */
  greet(endpoint: Endpoint, address: number): void {
    this.#send(endpoint, address, greeting, 'greet');
  }

  #send(
    queue: SendQueue,
    destination: number,
    payload: Uint8Array,
    what: string,
    sent = () => {},
  ): void {
    const { outbox, log } = this.#context;
    const { sendTimeoutMs } = this.#context.limits();
    const finish = (outcome: SendOutcome) => {
      if (outcome === 'sent') {
        sent();
        return;
      }
      log.warn({ ...this.#device.logFields, what, outcome }, 'the remote was not told');
    };
    const start = outbox.send(queue, destination, payload, undefined, sendTimeoutMs, finish);
    if (start !== 'queued') finish(start);
  }
}
