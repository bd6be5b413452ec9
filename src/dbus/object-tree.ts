// SPDX-License-Identifier: Apache-2.0
// The objects a program publishes: what is there, and what the bus hears of it, in order.

import type { Bus } from './bus.ts';
import type { BusLogger } from './bus-types.ts';
import type { ClientRegistry } from './clients.ts';
import { Dispatcher } from './dispatcher.ts';
import type { ExportedInterface } from './implementation.ts';
import { isObjectPathValid, Variant } from './message-model.ts';
import { PathTree, type PublishedObject } from './path-tree.ts';
import { isBelow, managedInterfaces, objectManager, properties } from './standard-interfaces.ts';

export interface ObjectTreeOptions {
  /** Where the ObjectManager is; it shows what lies below. */
  readonly root: string;
  readonly clients: ClientRegistry;
  readonly logger?: BusLogger | undefined;
  /** Unanswered calls a client may have; default 256. */
  readonly maxCallsPerSender?: number | undefined;
  /** Unanswered calls of all clients together; default 4,096. */
  readonly maxCalls?: number | undefined;
}

export class ObjectTree {
  readonly #bus: Bus;
  readonly #root: string;
  readonly #logger: BusLogger | undefined;
  readonly #tree = new PathTree();
  readonly #pending = new Map<PublishedObject, Map<ExportedInterface, Set<string>>>();
  /** What was said so far goes out now, before any property changes again. */
  readonly flush = () => this.#emitPending();
  #announced = false;

  constructor(bus: Bus, options: ObjectTreeOptions) {
    this.#bus = bus;
    this.#root = options.root;
    this.#logger = options.logger;
    const dispatcher = new Dispatcher(bus.connection, this.#tree, {
      root: options.root,
      logger: options.logger,
      maxCallsPerSender: options.maxCallsPerSender ?? 256,
      maxCalls: options.maxCalls ?? 4096,
    });
    options.clients.onAnyVanish((sender) => dispatcher.inFlight.abandon(sender));
    bus.once('disconnect', () => dispatcher.inFlight.abandonAll());
    bus.serve(dispatcher);
  }

  /** From now on what is published, withdrawn or changed is announced by signals. */
  announce(): void {
    this.#announced = true;
  }

  has(path: string): boolean {
    return this.#tree.get(path) !== undefined;
  }

  /** Adds an object, or interfaces to one that is there. InterfacesAdded goes out at once. */
  publish(path: string, interfaces: readonly ExportedInterface[]): void {
    if (!isObjectPathValid(path)) throw new Error(`'${path}' is not an object path`);
    const known = this.#tree.get(path)?.interfaces ?? [];
    for (const { implementation } of interfaces) {
      if (known.some((one) => one.implementation === implementation)) {
        throw new Error(`${path} has the interface ${implementation.name} already`);
      }
    }
    // Pushed to, or spread into, an array takes room for 16 more.
    this.#tree.add(path).interfaces = known.concat(interfaces);
    if (this.#announced && isBelow(path, this.#root)) {
      this.#manage('InterfacesAdded', [path, managedInterfaces(interfaces)]);
    }
  }

  /** Removes an object. InterfacesRemoved goes out once, changes not yet announced never. */
  withdraw(path: string): void {
    const object = this.#tree.get(path);
    if (object === undefined) return;
    this.#pending.delete(object);
    this.#tree.remove(path);
    if (!this.#announced || !isBelow(path, this.#root)) return;
    this.#manage('InterfacesRemoved', [
      path,
      object.interfaces.map(({ implementation }) => implementation.name),
    ]);
  }

  /**
   * Says that properties have new values. What is said in one turn goes out together, and before any
   * other message that is sent after it. Properties without change signals are passed over.
   */
  changed(path: string, iface: string, ...names: string[]): void {
    const object = this.#tree.get(path);
    if (!this.#announced || object === undefined) return;
    const exported = find(object, iface);
    let interfaces = this.#pending.get(object);
    if (this.#pending.size === 0) {
      this.#bus.connection.beforeNextSend(this.flush);
      queueMicrotask(this.flush);
    }
    if (interfaces === undefined) {
      interfaces = new Map();
      this.#pending.set(object, interfaces);
    }
    const changed = interfaces.get(exported) ?? new Set();
    interfaces.set(exported, changed);
    for (const name of names) changed.add(name);
  }

  /** Emits a signal of an object; to one client if `destination` is given. @throws WireError */
  emitSignal(
    path: string,
    iface: string,
    member: string,
    args: readonly unknown[],
    destination?: string,
  ): void {
    const object = this.#tree.get(path);
    if (object === undefined) return;
    const signature = find(object, iface).implementation.signals.get(member);
    if (signature === undefined) throw new Error(`${iface} has no signal ${member}`);
    this.#bus.emitSignal(path, iface, member, signature, args, destination);
  }

  #manage(member: string, args: unknown[]): void {
    const signature = objectManager.signals.get(member) ?? '';
    this.#emit(this.#root, objectManager.name, member, signature, args);
  }

  #emitPending(): void {
    if (this.#pending.size === 0) return;
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const [{ path }, interfaces] of pending) {
      for (const [exported, names] of interfaces) this.#emitChanged(path, exported, names);
    }
  }

  #emitChanged(path: string, exported: ExportedInterface, names: ReadonlySet<string>): void {
    const { implementation, target } = exported;
    const values: Record<string, Variant> = {};
    const invalidated: string[] = [];
    for (const name of names) {
      const property = implementation.properties.get(name);
      if (property === undefined) continue;
      const { type, emitsChanged } = property.spec;
      if (emitsChanged === 'invalidates') invalidated.push(name);
      if (emitsChanged === 'true') values[name] = new Variant(type, property.get?.(target));
    }
    if (Object.keys(values).length === 0 && invalidated.length === 0) return;
    const args = [implementation.name, values, invalidated];
    const signature = properties.signals.get('PropertiesChanged') ?? '';
    this.#emit(path, properties.name, 'PropertiesChanged', signature, args);
  }

  /** A value that cannot be sent is our bug, but not a reason to lose the message after it. */
  #emit(path: string, iface: string, member: string, signature: string, args: unknown[]): void {
    try {
      this.#bus.emitSignal(path, iface, member, signature, args);
    } catch (error) {
      this.#logger?.error({ err: error, path, iface, member }, 'signal not sent');
    }
  }
}

function find(object: PublishedObject, iface: string): ExportedInterface {
  const found = object.interfaces.find(({ implementation }) => implementation.name === iface);
  if (found === undefined) throw new Error(`${object.path} has no interface ${iface}`);
  return found;
}
