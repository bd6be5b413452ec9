// SPDX-License-Identifier: Apache-2.0
// The programs on the bus that talk to us: when they leave, and who they are.

import type { Bus } from './bus.ts';
import { BusError, ErrorName } from './errors.ts';
import { Variant } from './message-model.ts';

const BUS_NAME = 'org.freedesktop.DBus';

export interface Credentials {
  readonly uid: number;
  /** Primary and supplementary groups; empty on a bus that does not tell. */
  readonly gids: readonly number[];
  readonly pid?: number;
}

/** `await start()` before `Bus.acquireName`: no client can then come and go unnoticed. */
export class ClientRegistry {
  readonly #bus: Bus;
  readonly #watchers = new Map<string, Set<() => void>>();
  readonly #anyWatchers = new Set<(sender: string) => void>();
  readonly #credentials = new Map<string, Promise<Credentials>>();

  constructor(bus: Bus) {
    this.#bus = bus;
    bus.once('disconnect', () => this.#allGone());
  }

  /** One match rule for the deaths of all clients, whoever they will be. */
  async start(): Promise<void> {
    const rule = {
      sender: BUS_NAME,
      path: '/org/freedesktop/DBus',
      interface: BUS_NAME,
      member: 'NameOwnerChanged',
      args: { 2: '' },
    };
    await this.#bus.subscribe(rule, ({ args }) => {
      const name = String(args[0]);
      if (name.startsWith(':')) this.#gone(name);
    });
  }

  /**
   * Calls back once when `sender`, a unique name, leaves the bus, or we do, or have done so already.
   * A sender that left before this was called is noticed by `credentials` and `watch`, not here.
   * @returns ends the watch
   */
  onVanish(sender: string, callback: () => void): () => void {
    if (!this.#bus.connected) {
      queueMicrotask(callback);
      return () => undefined;
    }
    let watchers = this.#watchers.get(sender);
    if (watchers === undefined) {
      watchers = new Set();
      this.#watchers.set(sender, watchers);
    }
    // A function of its own, so that the same callback may be given twice.
    const watcher = () => callback();
    watchers.add(watcher);
    const set = watchers;
    return () => {
      set.delete(watcher);
      if (set.size === 0 && this.#watchers.get(sender) === set) this.#watchers.delete(sender);
    };
  }

  /** Calls back for every client that leaves. */
  onAnyVanish(callback: (sender: string) => void): void {
    this.#anyWatchers.add(callback);
  }

  /**
   * As `onVanish`, and also calls back, soon, if the sender has already left: for what is made on
   * behalf of a client after something was awaited.
   */
  watch(sender: string, callback: () => void): () => void {
    let ended = false;
    const end = this.onVanish(sender, callback);
    this.exists(sender).then(
      (exists) => {
        if (!exists && !ended) this.#gone(sender);
      },
      () => undefined,
    );
    return () => {
      ended = true;
      end();
    };
  }

  /** Asked of the bus once per client. @throws BusError NameHasNoOwner when the client is gone */
  credentials(sender: string): Promise<Credentials> {
    const known = this.#credentials.get(sender);
    if (known !== undefined) return known;
    const asked = this.#ask(sender);
    this.#credentials.set(sender, asked);
    asked.catch(() => this.#credentials.delete(sender));
    return asked;
  }

  async #ask(sender: string): Promise<Credentials> {
    try {
      const [table] = await this.#bus.callBus('GetConnectionCredentials', 's', [sender]);
      const credentials = fromTable(table as Record<string, Variant>);
      if (credentials !== undefined) return credentials;
    } catch (error) {
      if (!(error instanceof BusError) || error.name !== ErrorName.unknownMethod) throw error;
    }
    const [uid] = await this.#bus.callBus('GetConnectionUnixUser', 's', [sender]);
    return { uid: Number(uid), gids: [] };
  }

  async exists(sender: string): Promise<boolean> {
    const [exists] = await this.#bus.callBus('NameHasOwner', 's', [sender]);
    return exists === true;
  }

  #gone(sender: string): void {
    this.#credentials.delete(sender);
    const watchers = this.#watchers.get(sender);
    this.#watchers.delete(sender);
    for (const watcher of [...(watchers ?? [])]) watcher();
    for (const watcher of this.#anyWatchers) watcher(sender);
  }

  #allGone(): void {
    const senders = new Set([...this.#watchers.keys(), ...this.#credentials.keys()]);
    for (const sender of senders) this.#gone(sender);
  }
}

function fromTable(table: Record<string, Variant>): Credentials | undefined {
  const value = (key: string) => {
    const entry = table[key];
    return entry instanceof Variant ? entry.value : undefined;
  };
  const uid = value('UnixUserID');
  if (typeof uid !== 'number') return undefined;
  const groups = value('UnixGroupIDs');
  const gids = Array.isArray(groups) ? groups.map(Number) : [];
  const pid = value('ProcessID');
  return typeof pid === 'number' ? { uid, gids, pid } : { uid, gids };
}
