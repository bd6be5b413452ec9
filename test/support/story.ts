// SPDX-License-Identifier: Apache-2.0
// What the bus tells of a remote, in order: every property change and every signal of its objects.

import { Variant } from '../../src/dbus/index.ts';
import { type RpmsgClient, SERVICE, until } from './rpmsg-client.ts';

export interface Told {
  /** Below the remote: "" is the remote itself, "vdev0/channel_echo" a channel. */
  readonly object: string;
  /** A property's name, or a signal's with "!" before it. */
  readonly what: string;
  /** The property's value, or the signal's arguments. */
  readonly value: unknown;
  /** Which signal message it came with, counted from 0: what was told together has the same. */
  readonly message: number;
}

/** As JSON, whatever it holds. */
function print(value: unknown): string {
  const plain = (_key: string, part: unknown) => (typeof part === 'bigint' ? Number(part) : part);
  return JSON.stringify(value, plain);
}

export class Story {
  readonly told: Told[] = [];
  #messages = 0;

  /** Listens from when the promise resolves until the client closes. */
  static async of(client: RpmsgClient, remote = 'cm40'): Promise<Story> {
    const story = new Story();
    const namespace = `/org/rpmsg/${remote}`;
    const rule = { sender: SERVICE, pathNamespace: namespace };
    await client.bus.subscribe(rule, ({ path, member, args }) => {
      const object = path.slice(namespace.length + 1);
      const message = story.#messages++;
      if (member !== 'PropertiesChanged') {
        story.told.push({ object, what: `!${member}`, value: args, message });
        return;
      }
      for (const [what, value] of Object.entries(args[1] as Record<string, unknown>)) {
        const plain = value instanceof Variant ? value.value : value;
        story.told.push({ object, what, value: plain, message });
      }
    });
    return story;
  }

  /** "vdev0 State down" for each thing told; arguments of signals are left out. */
  get lines(): string[] {
    return this.told.map(({ object, what, value }) =>
      [object, what, what.startsWith('!') ? '' : print(value)].join(' ').trim(),
    );
  }

  /** Everything told of this kind, in order. */
  all(object: string, what: string): Told[] {
    return this.told.filter((told) => told.object === object && told.what === what);
  }

  #find(object: string, what: string, value: unknown): number {
    return this.told.findIndex(
      (told) =>
        told.object === object &&
        told.what === what &&
        (value === undefined || print(told.value) === print(value)),
    );
  }

  /** Where in the story this was told first; throws if it was not. */
  at(object: string, what: string, value?: unknown): number {
    const found = this.#find(object, what, value);
    if (found >= 0) return found;
    throw new Error(`not told: ${object} ${what} ${print(value)}; but:\n${this.lines.join('\n')}`);
  }

  /** Waits until this is told. */
  async until(object: string, what: string, value?: unknown): Promise<void> {
    const name = `${object} ${what} ${print(value)}`;
    await until(name, () => this.#find(object, what, value) >= 0);
  }

  clear(): void {
    this.told.length = 0;
  }
}
