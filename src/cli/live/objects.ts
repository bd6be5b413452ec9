// SPDX-License-Identifier: Apache-2.0
// The daemon's objects as they are at every moment, over restarts of the daemon.

import { EventEmitter } from 'node:events';
import { type Bus, BusError, type ReceivedSignal } from '../../dbus/index.ts';
import {
  byPath,
  fetchObjects,
  objectOf,
  type Properties,
  plain,
  type RemoteObject,
  rootPath,
  serviceName,
} from '../objects.ts';
import { Presence } from './presence.ts';

/** One property that has another value than before. */
export interface Change {
  readonly object: RemoteObject;
  /** Without its prefix: Remote, Device, Channel, Endpoint. */
  readonly interface: string;
  readonly property: string;
  readonly from: unknown;
  readonly to: unknown;
}

/**
 * Events: 'appeared' (object) and 'vanished' (object); 'changed' (change: Change); 'signal' (a
 * ReceivedSignal of an interface of ours); 'gone' when the daemon is; 'back' once it is there and all
 * that is different was told; 'error' (error) if it does not tell. While it is gone the objects stay
 * as they were.
 */
export class LiveObjects extends EventEmitter {
  readonly #bus: Bus;
  #objects = new Map<string, RemoteObject>();
  #presence: Presence | undefined;
  /** Signals that come while the objects are being fetched. */
  #waiting: ReceivedSignal[] | undefined;

  private constructor(bus: Bus) {
    super();
    this.#bus = bus;
  }

  /** Resolves with all objects there, or with none where there is no daemon. */
  static async open(bus: Bus): Promise<LiveObjects> {
    const live = new LiveObjects(bus);
    const rule = { sender: serviceName, pathNamespace: rootPath };
    await bus.subscribe(rule, (signal) => live.#heard(signal));
    live.#presence = await Presence.watch(bus, (isThere) => {
      if (!isThere) live.emit('gone');
      else live.#fetch().catch((error: unknown) => live.#failed(error));
    });
    if (live.isThere) await live.#fetch();
    return live;
  }

  /** Whether the daemon is on the bus. */
  get isThere(): boolean {
    return this.#presence?.isThere === true;
  }

  /** Parents before children. */
  get all(): RemoteObject[] {
    return [...this.#objects.values()].sort(byPath);
  }

  get(path: string): RemoteObject | undefined {
    return this.#objects.get(path);
  }

  async #fetch(): Promise<void> {
    const waiting: ReceivedSignal[] = [];
    this.#waiting = waiting;
    const fetched = await fetchObjects(this.#bus);
    // Another fetch has begun meanwhile: it knows better.
    if (this.#waiting !== waiting) return;
    this.#waiting = undefined;
    const paths = new Set(fetched.map(({ path }) => path));
    for (const { path } of this.all) if (!paths.has(path)) this.#remove(path);
    for (const object of fetched) this.#merge(object);
    for (const signal of waiting) this.#heard(signal);
    this.emit('back');
  }

  /** The daemon may have gone again, which is told by itself. */
  #failed(error: unknown): void {
    if (this.isThere || !(error instanceof BusError)) this.emit('error', error);
  }

  #heard(signal: ReceivedSignal): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push(signal);
      return;
    }
    const [first, second] = signal.args;
    if (signal.member === 'InterfacesAdded') {
      const object = objectOf(String(first), second as Record<string, Record<string, unknown>>);
      if (object !== undefined) this.#merge(object);
    } else if (signal.member === 'InterfacesRemoved') {
      this.#remove(String(first));
    } else if (signal.member === 'PropertiesChanged') {
      this.#change(signal.path, String(first), plain(second as Record<string, unknown>));
    } else if (signal.interface.startsWith(`${serviceName}.`)) {
      this.emit('signal', signal);
    }
  }

  #merge(object: RemoteObject): void {
    if (!this.#objects.has(object.path)) {
      this.#objects.set(object.path, object);
      this.emit('appeared', object);
      return;
    }
    for (const [name, properties] of Object.entries(object.interfaces)) {
      this.#change(object.path, `${serviceName}.${name}`, properties);
    }
  }

  #remove(path: string): void {
    const object = this.#objects.get(path);
    if (this.#objects.delete(path)) this.emit('vanished', object);
  }

  #change(path: string, iface: string, changed: Properties): void {
    const name = iface.slice(serviceName.length + 1);
    const old = this.#objects.get(path);
    const before = old?.interfaces[name];
    if (old === undefined || before === undefined) return;
    const different = Object.entries(changed).filter(([property, to]) => {
      return !isSame(before[property], to);
    });
    const after = { ...before, ...Object.fromEntries(different) };
    const object = { path, interfaces: { ...old.interfaces, [name]: after } };
    this.#objects.set(path, object);
    for (const [property, to] of different) {
      const change: Change = { object, interface: name, property, from: before[property], to };
      this.emit('changed', change);
    }
  }
}

/** Values of D-Bus may be lists and numbers of 64 bits. */
function isSame(a: unknown, b: unknown): boolean {
  const text = (value: unknown) =>
    JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part));
  return a === b || text(a) === text(b);
}
