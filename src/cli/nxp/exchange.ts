// SPDX-License-Identifier: Apache-2.0
// A request and its answer on the shared endpoint of a channel, where others may listen, too.

import type { Bus, Subscription } from '../../dbus/index.ts';
import { BusError } from '../../dbus/index.ts';
import {
  decodeHead,
  decodeNxp,
  describeNxp,
  isKnownVersion,
  type NxpPacket,
  NxpType,
  nxpVersion,
  versionText,
} from '../../nxp/index.ts';
import { Endpoint } from '../endpoint.ts';
import { CliStatus, RpmsgctlError } from '../errors.ts';
import { serviceName } from '../objects.ts';
import type { ServiceChannel } from './channel.ts';
import type { NxpRequest } from './request.ts';

/** Messages that are no answer and that are told of one by one; the others are counted. */
const toldMessages = 16;
/** Of one Receive. */
const drainedMessages = 64;

type Tell = (line: string) => void;

/** Sends what is not answered. @throws BusError as Endpoint.Send */
export async function notify(
  bus: Bus,
  { path }: ServiceChannel,
  { packet }: NxpRequest,
): Promise<void> {
  await new Endpoint(bus, path).send(packet);
}

/**
 * Sends a request and resolves with its answer, whatever code is in it.
 * @param tell hears of messages that are not the answer and that nobody else gets
 * @throws BusError as Endpoint.Send and Subscribe
 * @throws RpmsgctlError when time is up, when the remote is reset meanwhile, and for an answer of
 *   another version or of the wrong length
 */
export async function ask(
  bus: Bus,
  channel: ServiceChannel,
  request: NxpRequest,
  timeoutMs: number,
  tell: Tell,
): Promise<NxpPacket> {
  const exchange = new Exchange(bus, channel, request, tell);
  try {
    return await exchange.run(timeoutMs);
  } finally {
    exchange.close();
  }
}

class Exchange {
  readonly #bus: Bus;
  readonly #endpoint: Endpoint;
  readonly #channel: ServiceChannel;
  readonly #request: NxpRequest;
  readonly #tell: Tell;
  #resets: Subscription | undefined;
  readonly #answered: Promise<NxpPacket>;
  #answer: (packet: NxpPacket) => void = () => {};
  #fail: (error: Error) => void = () => {};
  #isSent = false;
  #others = 0;

  constructor(bus: Bus, channel: ServiceChannel, request: NxpRequest, tell: Tell) {
    this.#bus = bus;
    this.#endpoint = new Endpoint(bus, channel.path);
    this.#channel = channel;
    this.#request = request;
    this.#tell = tell;
    this.#answered = new Promise((resolve, reject) => {
      this.#answer = resolve;
      this.#fail = reject;
    });
    // It may fail before anybody waits for it.
    this.#answered.catch(() => {});
  }

  async run(timeoutMs: number): Promise<NxpPacket> {
    const { remote, remotePath: path } = this.#channel;
    await this.#takeOldMessages();
    const iface = `${serviceName}.Remote`;
    const rule = { sender: serviceName, path, interface: iface, member: 'ResetNotified' };
    this.#resets = await this.#bus.subscribe(rule, ({ args: [, cause] }) => {
      const text = `${remote} was reset (${cause}) before it answered; whether it did it is not known`;
      this.#fail(new RpmsgctlError(CliStatus.failure, text));
    });
    await this.#endpoint.subscribe(({ data }) => this.#received(data));
    this.#isSent = true;
    await this.#endpoint.send(this.#request.packet);
    const timer = setTimeout(() => {
      const { service, command } = this.#request;
      const text = `${remote} did not answer ${service.name} ${command.name} within ${timeoutMs} ms`;
      this.#fail(new RpmsgctlError(CliStatus.timedOut, text));
    }, timeoutMs);
    return await this.#answered.finally(() => clearTimeout(timer));
  }

  close(): void {
    const more = this.#others - toldMessages;
    if (more > 0)
      this.#tell(`${more} more ${more === 1 ? 'message' : 'messages'} beside the answer`);
    this.#endpoint.stopListening();
    this.#resets?.close();
  }

  /** What waits there is older than the request: the late answer to a former one, perhaps. */
  async #takeOldMessages(): Promise<void> {
    try {
      for (let count = drainedMessages; count === drainedMessages; ) {
        const { messages } = await this.#endpoint.receive(drainedMessages, 0);
        for (const { data } of messages) this.#told('had waited', data);
        count = messages.length;
      }
    } catch (error) {
      // Others listen, so that nothing waits.
      if (!(error instanceof BusError) || error.name !== `${serviceName}.Error.Busy`) throw error;
    }
  }

  #received(payload: Buffer): void {
    const verdict = this.#isSent ? this.#judge(payload) : undefined;
    if (verdict === undefined) this.#told('came meanwhile', payload);
    else if (verdict instanceof Error) this.#fail(verdict);
    else this.#answer(verdict);
  }

  /** The answer, what is wrong with it, or undefined for what is none. */
  #judge(payload: Buffer): NxpPacket | Error | undefined {
    const head = decodeHead(payload);
    const { service, command } = this.#request;
    if (head?.type !== NxpType.reply || head.category !== service.category) return undefined;
    if (head.command !== command.number) return undefined;
    if (!isKnownVersion(head)) {
      const ours = `rpmsgctl speaks version ${versionText(nxpVersion)} of ${service.name}`;
      const theirs = `${this.#channel.remote} version ${versionText(head)}`;
      return new RpmsgctlError(CliStatus.failure, `version mismatch: ${ours}, ${theirs}`);
    }
    const packet = decodeNxp(payload);
    if ('problem' in packet) return new RpmsgctlError(CliStatus.failure, packet.problem);
    return this.#isOfRequest(packet) ? packet : undefined;
  }

  /** An answer repeats the fields that say what was asked about. */
  #isOfRequest({ values }: NxpPacket): boolean {
    const { service, command, values: asked } = this.#request;
    return service.keys.every((key) => {
      const isThere = command.layout.fields.some(({ name }) => name === key);
      return !isThere || values[key] === (asked[key] ?? 0);
    });
  }

  #told(how: string, payload: Buffer): void {
    if (++this.#others > toldMessages) return;
    const what = describeNxp(payload) ?? `${payload.length} bytes`;
    this.#tell(`a message that ${how}: ${what}`);
  }
}
