// SPDX-License-Identifier: Apache-2.0
// What the models share, filled in by the service: the link once there is one, and the configuration
// that is in force.

import type { LinkApi } from '../../addon/link-api.ts';
import { ttyDefaults } from '../../config/index.ts';
import type { ChannelRule, Config, Limits } from '../../config/types.ts';
import type {
  Descriptors,
  LinkContext,
  Logger,
  Observer,
  TerminalHost,
} from '../../remote/context.ts';
import type { Device } from '../../remote/device.ts';
import { Outbox } from '../../remote/outbox.ts';
import type { ObjectStore } from '../../state/object-store.ts';
import { RpmsgdError } from '../../util/errors.ts';

export interface ServiceParts {
  readonly config: Config;
  readonly log: Logger;
  readonly descriptors: Descriptors;
}

export class ServiceContext implements LinkContext {
  readonly log: Logger;
  readonly descriptors: Descriptors;
  readonly deviceOf = new Map<number, Device>();
  readonly outbox: Outbox;
  readonly #observer: () => Observer;
  readonly #terminals: () => TerminalHost;
  #config: Config;
  #rules: ReadonlyMap<string, ChannelRule>;
  #link: LinkApi | undefined;
  #store: ObjectStore | undefined;
  #lastEndpointId = 0;

  constructor(parts: ServiceParts, observer: () => Observer, terminals: () => TerminalHost) {
    const { config, log, descriptors } = parts;
    this.log = log;
    this.descriptors = descriptors;
    this.#observer = observer;
    this.#terminals = terminals;
    this.#config = config;
    this.#rules = rulesOf(config);
    this.outbox = new Outbox(
      {
        send: (request) => this.link.send(request),
        cancelCaller: (caller) => this.link.cancelCaller(caller),
      },
      () => this.#config.limits,
    );
  }

  get config(): Config {
    return this.#config;
  }

  get link(): LinkApi {
    if (this.#link === undefined) throw new RpmsgdError('remote_down', 'there is no link yet');
    return this.#link;
  }

  get observer(): Observer {
    return this.#observer();
  }

  get terminals(): TerminalHost {
    return this.#terminals();
  }

  get store(): ObjectStore {
    if (this.#store === undefined) throw new RpmsgdError('remote_down', 'there is no store yet');
    return this.#store;
  }

  attach(link: LinkApi, store: ObjectStore): void {
    this.#link = link;
    this.#store = store;
    this.reserveId(store.found.lastNumber);
  }

  /** Nothing that happens from now on is stored. */
  freeze(): void {
    this.#store?.freeze();
  }

  /** An endpoint has this number, or had it. */
  reserveId(id: number): void {
    this.#lastEndpointId = Math.max(this.#lastEndpointId, id);
  }

  use(config: Config): void {
    this.#config = config;
    this.#rules = rulesOf(config);
  }

  limits(): Limits {
    return this.#config.limits;
  }

  rule(name: string): ChannelRule | undefined {
    return this.#rules.get(name) ?? defaultRule(name);
  }

  nextEndpointId(): number {
    return ++this.#lastEndpointId;
  }
}

/** Undefined for names that nothing is known of. */
function defaultRule(name: string): ChannelRule | undefined {
  const { tty, hello } = ttyDefaults(name);
  return tty || hello ? { name, tty, hello, group: undefined } : undefined;
}

function rulesOf({ channels }: Config): ReadonlyMap<string, ChannelRule> {
  return new Map(channels.map((rule) => [rule.name, rule]));
}
