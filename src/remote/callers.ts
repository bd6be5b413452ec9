// SPDX-License-Identifier: Apache-2.0
// The clients that hold something here: each by its unique name and a small number, with what must
// be undone when it leaves the bus.

/** Tells, once, that a client is gone. Returns how to stop listening. */
export type WatchVanish = (sender: string, callback: () => void) => () => void;

export class Caller {
  readonly sender: string;
  /** What the link knows it by; never reused. */
  readonly id: number;
  /** Sends of it that wait for a buffer. */
  waitingSends = 0;
  /** `Receive` calls of it that wait, all endpoints together. */
  waitingReceives = 0;
  /** It has left the bus: nothing may be made on its behalf any more. */
  isGone = false;
  readonly #cleanups = new Set<() => void>();

  constructor(sender: string, id: number) {
    this.sender = sender;
    this.id = id;
  }

  /** `cleanup` runs when the client leaves the bus, unless what is returned was called before. */
  onVanish(cleanup: () => void): () => void {
    this.#cleanups.add(cleanup);
    return () => this.#cleanups.delete(cleanup);
  }

  vanish(): void {
    this.isGone = true;
    const cleanups = [...this.#cleanups];
    this.#cleanups.clear();
    for (const cleanup of cleanups) cleanup();
  }
}

/** The daemon itself, as the sender of announcements and greetings. */
export const daemonCallerId = 1;

export class Callers {
  readonly #watch: WatchVanish;
  readonly #bySender = new Map<string, Caller>();
  #lastId = daemonCallerId;

  constructor(watch: WatchVanish) {
    this.#watch = watch;
  }

  get size(): number {
    return this.#bySender.size;
  }

  get(sender: string): Caller {
    return this.#bySender.get(sender) ?? this.#add(sender);
  }

  #add(sender: string): Caller {
    const caller = new Caller(sender, ++this.#lastId);
    this.#bySender.set(sender, caller);
    this.#watch(sender, () => {
      this.#bySender.delete(sender);
      caller.vanish();
    });
    return caller;
  }
}
