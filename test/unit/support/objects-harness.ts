// SPDX-License-Identifier: Apache-2.0
// The service over a fake link, with a tree that records and clients that come and go at the test's
// word. Calls run the very handlers that the bus would run.

import type { ChannelRule, Config, Limits, StaticEndpoint } from '../../../src/config/types.ts';
import { defaultLimits } from '../../../src/config/types.ts';
import {
  BusError,
  type Credentials,
  ErrorName,
  type ExportedInterface,
  type MethodCall,
  Variant,
} from '../../../src/dbus/index.ts';
import type { Tree } from '../../../src/dbus/objects/publisher.ts';
import { RpmsgService } from '../../../src/dbus/objects/service.ts';
import { ObjectStore } from '../../../src/state/object-store.ts';
import { FakeLink } from './fake-link.ts';

export interface Emitted {
  readonly path: string;
  readonly member: string;
  readonly args: readonly unknown[];
  readonly to: string | undefined;
}

export class FakeTree implements Tree {
  readonly objects = new Map<string, readonly ExportedInterface[]>();
  readonly signals: Emitted[] = [];
  /** Everything told, one line each, in order. */
  readonly story: string[] = [];

  announce(): void {}

  flush(): void {
    this.story.push('--');
  }

  publish(path: string, interfaces: readonly ExportedInterface[]): void {
    this.objects.set(path, interfaces);
    this.story.push(`+ ${path}`);
  }

  withdraw(path: string): void {
    this.objects.delete(path);
    this.story.push(`- ${path}`);
  }

  changed(path: string, iface: string, ...properties: string[]): void {
    if (!this.objects.has(path)) return;
    for (const property of properties) {
      const value = JSON.stringify(this.get(path, iface, property));
      this.story.push(`= ${path} ${property} ${value}`);
    }
  }

  emitSignal(path: string, _iface: string, member: string, args: readonly unknown[], to?: string) {
    if (!this.objects.has(path)) return;
    this.signals.push({ path, member, args, to });
    this.story.push(`! ${path} ${member}`);
  }

  find(path: string, iface: string): ExportedInterface {
    const found = this.objects
      .get(path)
      ?.find(({ implementation }) => implementation.name === iface);
    if (found === undefined) throw new Error(`${path} has no ${iface}`);
    return found;
  }

  get(path: string, iface: string, property: string): unknown {
    const { implementation, target } = this.find(path, iface);
    return implementation.properties.get(property)?.get?.(target);
  }
}

export class FakeClients {
  readonly credentialsOf = new Map<string, Credentials>();
  /** Clients that left while nobody looked. */
  readonly left = new Set<string>();
  readonly #watchers = new Map<string, Set<() => void>>();

  onVanish(sender: string, callback: () => void): () => void {
    const watchers = this.#watchers.get(sender) ?? new Set();
    this.#watchers.set(sender, watchers);
    watchers.add(callback);
    return () => watchers.delete(callback);
  }

  exists(sender: string): Promise<boolean> {
    return Promise.resolve(!this.left.has(sender));
  }

  credentials(sender: string): Promise<Credentials> {
    return Promise.resolve(this.credentialsOf.get(sender) ?? { uid: 1000, gids: [1000] });
  }

  vanish(sender: string): void {
    const watchers = [...(this.#watchers.get(sender) ?? [])];
    this.#watchers.delete(sender);
    for (const watcher of watchers) watcher();
  }
}

export interface HarnessOptions {
  readonly vdevs?: number;
  readonly limits?: Partial<Limits>;
  readonly channels?: readonly ChannelRule[];
  readonly endpoints?: readonly StaticEndpoint[];
}

export function testConfig(options: HarnessOptions = {}): Config {
  const { vdevs = 1, limits = {}, channels = [], endpoints = [] } = options;
  return {
    files: [],
    deviceTree: undefined,
    limits: { ...defaultLimits, ...limits },
    link: { busyPollUs: 0, realtimePriority: 0 },
    log: { level: 'info' },
    channels,
    remotes: [
      {
        name: 'cm40',
        soc: 'imx8qxp',
        partition: 'auto',
        lossless: [],
        vringSize: vdevs * 0x10000,
        bufferSize: vdevs * 0x40000,
        endpoints,
        setup: {
          name: 'cm40',
          platform: { kind: 'sim', socket: '/nowhere', core: 'cm40', soc: 'imx8qxp' },
          vdevs,
          vringBase: 0x90000000,
          vringStride: 0x10000,
          tableBase: 0,
          tableBytes: 0,
          vring1Offset: 0x8000,
          bufferBase: 0x90400000,
          bufferStride: 0x40000,
          descriptors: 256,
          align: 4096,
          bufferBytes: 512,
          slots: 1024,
          readyWaitMs: 50,
          partition: -1,
          losslessVdevs: 0,
        },
      },
    ],
  };
}

export const groupIds: Readonly<Record<string, number>> = { 'rpmsg-admin': 901, dialout: 20 };
export const devicePath = '/org/rpmsg/cm40/vdev0';
export const echoPath = `${devicePath}/channel_echo`;
export const endpointIface = 'org.rpmsg.Endpoint';

export interface CallOptions {
  readonly sender?: string;
  readonly noReply?: boolean;
}

export interface HarnessPast {
  readonly link?: FakeLink;
  readonly store?: ObjectStore;
  /** The bus's id; without one there is nobody to meet. */
  readonly bus?: string;
  /** Descriptors that the service manager kept. */
  readonly inherited?: Map<string, number>;
}

export class Harness {
  readonly link: FakeLink;
  readonly tree = new FakeTree();
  readonly clients = new FakeClients();
  readonly service: RpmsgService;
  readonly warnings: string[] = [];
  readonly gone: string[] = [];
  /** Answers leave at once; a test replaces it. */
  leave = (callback: () => void) => callback();
  reload = () => Promise.resolve();
  /** The service manager keeps a descriptor, or does not; a test replaces it. */
  keep: (name: string) => Promise<boolean> = () => Promise.resolve(false);
  /** Where the links to terminals are made; a test that has any replaces it. */
  ttyDirectory = '/nonexistent';
  /** Names that it was told to forget. */
  readonly forgotten: string[] = [];
  /** Answers Ping; a test replaces it. */
  ping: (sender: string) => Promise<unknown[]> = () => Promise.resolve([]);

  constructor(options: HarnessOptions = {}, past: HarnessPast = {}) {
    const { link = new FakeLink(), store = ObjectStore.inMemory() } = past;
    const { inherited = new Map<string, number>() } = past;
    this.link = link;
    const config = testConfig(options);
    const ignore = () => {};
    this.service = new RpmsgService({
      tree: this.tree,
      clients: this.clients,
      bus: { call: (destination) => this.ping(destination) },
      log: {
        debug: ignore,
        info: ignore,
        warn: (_details, message) => this.warnings.push(message),
        error: (_details, message) => this.warnings.push(message),
      },
      config,
      descriptors: {
        store: (name) => this.keep(name),
        remove: (name) => this.forgotten.push(name) > 0,
        inherited: () => inherited,
      },
      ttyDirectory: () => this.ttyDirectory,
      version: '1.2.3',
      reload: () => this.reload(),
      boardGone: (remote) => this.gone.push(remote),
      groupId: (name) => groupIds[name],
    });
    this.link.listener = this.service;
    const setups = config.remotes.map(({ setup }) => ({ ...setup, stateFile: '' }));
    const known = { openStore: () => store, setups };
    this.service.attachLink(this.link, known, () => this.link.start());
    if (past.bus === undefined) this.service.publish();
  }

  /** The next daemon over what a former one left; its clients are on `bus`, but for those who `left`. */
  static async after(
    past: HarnessPast & { readonly bus: string },
    options: HarnessOptions = {},
    left: readonly string[] = [],
  ): Promise<Harness> {
    const harness = new Harness(options, past);
    for (const sender of left) harness.clients.left.add(sender);
    await harness.service.meetClients(past.bus);
    harness.service.publish();
    harness.service.greetClients();
    harness.link.flush();
    return harness;
  }

  /** Attached, vdev 0 up, and channel "echo" announced at address 30. */
  static up(options: HarnessOptions = {}, past: HarnessPast = {}): Harness {
    const harness = new Harness(options, past);
    harness.link.setRemote('waiting', 1);
    harness.link.setDevice('up');
    harness.link.setRemote('attached', 1);
    harness.link.announce('echo', 30);
    harness.tree.story.length = 0;
    harness.tree.signals.length = 0;
    return harness;
  }

  get(path: string, iface: string, property: string): unknown {
    return this.tree.get(path, iface, property);
  }

  stats(path: string, iface = endpointIface): Record<string, bigint> {
    return this.get(path, iface, 'Stats') as Record<string, bigint>;
  }

  /** The local address of a channel's default endpoint. */
  localOf(path: string): number {
    return this.get(path, endpointIface, 'LocalAddress') as number;
  }

  /**
   * Calls a method as the bus would. Yields what the reply carries: nothing, a value, or an array of
   * values. The link is flushed when the handler has returned.
   */
  async call(
    path: string,
    iface: string,
    member: string,
    args: readonly unknown[] = [],
    { sender = ':1.1', noReply = false }: CallOptions = {},
  ): Promise<unknown> {
    const { implementation, target } = this.tree.find(path, iface);
    const method = implementation.methods.get(member);
    if (method === undefined) throw new Error(`no method ${member}`);
    let settle: (value: unknown) => void = () => {};
    let refuse: (error: unknown) => void = () => {};
    const answer = new Promise<unknown>((resolve, reject) => {
      settle = resolve;
      refuse = reject;
    });
    // Whoever looks at the outcome does so later.
    answer.catch(() => {});
    const call = {
      sender,
      noReply,
      canReturnFds: true,
      onceLeaving: (callback: () => void) => this.leave(callback),
      onceWritten: (callback: () => void) => this.leave(callback),
      replyEmpty: () => settle(undefined),
      reply: (...out: unknown[]) => settle(out.length > 1 ? out : out[0]),
      fail: (error: unknown) => refuse(error),
    } as unknown as MethodCall;
    if (method.raw !== undefined) method.raw(target, call, args[0] as Buffer);
    else
      Promise.resolve(
        this.#invoke(() => method.handler?.(target, call, ...(args as never[]))),
      ).then(settle, refuse);
    await tick();
    this.link.flush();
    return answer;
  }

  endpoint(path: string, member: string, args: readonly unknown[] = [], options?: CallOptions) {
    return this.call(path, endpointIface, member, args, options);
  }

  #invoke(handler: () => unknown): Promise<unknown> {
    return new Promise((resolve) => resolve(handler()));
  }
}

/** Everything that was started by promises has come to a rest. */
export async function tick(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** An a{sv} argument. */
export function options(given: Record<string, [type: string, value: unknown]>) {
  return Object.fromEntries(
    Object.entries(given).map(([key, [type, value]]) => [key, new Variant(type, value)]),
  );
}

/** The name of the error that a call ends with. */
export async function errorName(answer: Promise<unknown>): Promise<string> {
  try {
    await answer;
  } catch (error) {
    if (error instanceof BusError) return error.name;
    throw error;
  }
  throw new Error('the call succeeded');
}

export const rpmsgError = (name: string) => `org.rpmsg.Error.${name}`;
export { ErrorName };
