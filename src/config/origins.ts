// SPDX-License-Identifier: Apache-2.0
// Where each value of the merged configuration came from, so that a complaint can name the file and
// the key as it stands in that file.

export interface Origin {
  readonly file: string;
  /** Dotted path with indices: `remote[1].vrings.base`. */
  readonly key: string;
}

export type Table = Record<string, unknown>;
export type Container = Table | unknown[];
export type PathStep = string | number;

export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isContainer(value: unknown): value is Container {
  return Array.isArray(value) || isTable(value);
}

/** `a.b` and `[0]` put together the way a person writes them. */
export function joinKey(parent: string, step: PathStep): string {
  if (typeof step === 'number') return `${parent}[${step}]`;
  return parent === '' ? step : `${parent}.${step}`;
}

/** Origins of tables, arrays and their members; a scalar is known by its container and its key. */
export class Origins {
  readonly #members = new WeakMap<Container, Map<PathStep, Origin>>();

  set(container: Container, step: PathStep, origin: Origin): void {
    const members = this.#members.get(container) ?? new Map<PathStep, Origin>();
    members.set(step, origin);
    this.#members.set(container, members);
  }

  get(container: Container, step: PathStep): Origin | undefined {
    return this.#members.get(container)?.get(step);
  }

  /** Notes for everything below `root` that it came from `file`. */
  mark(root: Container, file: string, key = ''): void {
    for (const [name, value] of Object.entries(root)) {
      const step = Array.isArray(root) ? Number(name) : name;
      const origin = { file, key: joinKey(key, step) };
      this.set(root, step, origin);
      if (isContainer(value)) this.mark(value, file, origin.key);
    }
  }

  /**
   * The origin of what `path` leads to. A key that is in no file is placed where its nearest
   * container is; `fallback` names the place when there is not even that.
   */
  find(root: Container, path: readonly PathStep[], fallback: string): Origin {
    let origin: Origin = { file: fallback, key: '' };
    let here: unknown = root;
    for (const step of path) {
      const known = isContainer(here) ? this.get(here, step) : undefined;
      origin = known ?? { file: origin.file, key: joinKey(origin.key, step) };
      here = isContainer(here) ? (here as Table)[step] : undefined;
    }
    return origin;
  }
}
