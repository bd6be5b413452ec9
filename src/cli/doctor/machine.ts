// SPDX-License-Identifier: Apache-2.0
// The machine that is examined: its files, below another root for those who test this.

import { existsSync, readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';

export class Machine {
  readonly root: string;

  /** `root` is `/` unless another machine's files are somewhere. */
  constructor(root: string) {
    this.root = root;
  }

  path(path: string): string {
    return join(this.root, path);
  }

  exists(path: string): boolean {
    return existsSync(this.path(path));
  }

  /** The contents without the end of the last line; undefined if it cannot be read. */
  read(path: string): string | undefined {
    try {
      return readFileSync(this.path(path), 'utf8').trimEnd();
    } catch {
      return undefined;
    }
  }

  /** Sorted names; none if it cannot be listed. */
  list(path: string): string[] {
    try {
      return readdirSync(this.path(path)).sort((a, b) =>
        a.localeCompare(b, 'en', { numeric: true }),
      );
    } catch {
      return [];
    }
  }

  stat(path: string): Stats | undefined {
    return statSync(this.path(path), { throwIfNoEntry: false });
  }

  /** The number of a group; undefined if there is none of that name. */
  groupId(name: string): number | undefined {
    const lines = this.read('/etc/group')?.split('\n') ?? [];
    const fields = lines.map((line) => line.split(':')).find(([group]) => group === name);
    return fields === undefined ? undefined : Number(fields[2]);
  }
}
