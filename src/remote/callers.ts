// SPDX-License-Identifier: Apache-2.0
// The clients that hold something here: each by its unique name and a small number, with what must
// be undone when it leaves the bus.

/** Tells, once, that a client is gone. Returns how to stop listening. */
export type WatchVanish = (sender: string, callback: () => void) => () => void;

/** What ends with a client. */
export interface Vanishing {
  vanished(): void;
}

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
  readonly #held = new Set<Vanishing>();

  constructor(sender: string, id: number) {
    this.sender = sender;
    this.id = id;
  }

  /** `held` hears of it when the client leaves the bus, unless offVanish() comes before. */
  onVanish(held: Vanishing): void {
    this.#held.add(held);
  }

  offVanish(held: Vanishing): void {
    this.#held.delete(held);
  }

  vanish(): void {
    this.isGone = true;
    const held = [...this.#held];
    this.#held.clear();
    for (const one of held) one.vanished();
  }
}

/** The daemon itself, as the sender of announcements and greetings. */
export const daemonCallerId = 1;

export class Callers {
  readonly #watch: WatchVanish;
  readonly #bySender = new Map<string, Caller>();
  readonly #expected = new Set<Caller>();
  #isFrozen = false;
  #lastId = daemonCallerId;

  constructor(watch: WatchVanish) {
    this.#watch = watch;
  }

  get size(): number {
    return this.#bySender.size;
  }

  get(sender: string): Caller {
    const known = this.#bySender.get(sender);
    if (known !== undefined) return known;
    const caller = this.#add(sender);
    this.#follow(caller);
    return caller;
  }

  /** A client of an earlier daemon, before there is a bus to ask whether it is still there. */
  expect(sender: string): Caller {
    const known = this.#bySender.get(sender);
    if (known !== undefined) return known;
    const caller = this.#add(sender);
    this.#expected.add(caller);
    return caller;
  }

  /** Parts with those expected ones that are not there. Each is followed before it is asked for. */
  async meet(isThere: (sender: string) => Promise<boolean>): Promise<void> {
    const expected = [...this.#expected];
    this.#expected.clear();
    for (const caller of expected) this.#follow(caller);
    await Promise.all(
      expected.map(async (caller) => {
        if (!(await isThere(caller.sender))) this.#vanished(caller);
      }),
    );
  }

  /** Whoever leaves from now on takes nothing along. */
  freeze(): void {
    this.#isFrozen = true;
  }

  #add(sender: string): Caller {
    const caller = new Caller(sender, ++this.#lastId);
    this.#bySender.set(sender, caller);
    return caller;
  }

  #follow(caller: Caller): void {
    this.#watch(caller.sender, () => this.#vanished(caller));
  }

  #vanished(caller: Caller): void {
    if (this.#isFrozen) return;
    if (this.#bySender.get(caller.sender) === caller) this.#bySender.delete(caller.sender);
    if (!caller.isGone) caller.vanish();
  }
}
