// SPDX-License-Identifier: Apache-2.0
// A map from keys to plain values in a file that outlives the process: changes are appended, one line
// for what belongs together, and the file is written anew when most of it is out of date.

import {
  closeSync,
  constants,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';

/** A key with its new value; without one it is deleted. */
export type Change = readonly [key: string, value?: unknown];

export interface ChangeLogger {
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export interface ChangeLogSetup {
  readonly path: string;
  /** What the first line says. */
  readonly header: object;
  /** Whether a file that begins so may be believed. */
  readonly accepts: (header: unknown) => boolean;
  readonly logger: ChangeLogger;
  /** Throws when a value cannot be what the program wrote. */
  readonly check: (key: string, value: unknown) => void;
}

/** Bytes of changes that are always kept before the file is written anew. */
const leastGarbageBytes = 64 * 1024;
const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

export class ChangeLog {
  readonly #setup: ChangeLogSetup;
  /** Each value as it is written: less memory than the objects, which are nobody's any more. */
  readonly #values: Map<string, string>;
  #fd = -1;
  #bytes = 0;
  #bytesWhenNew = 0;
  /** The file lacks changes that were made here. */
  #isBehind = false;
  #isFrozen = false;

  /**
   * Reads what is there, or warns that it is of no use, and writes it anew. Throws when no file can be
   * made; one that is there and cannot be replaced yet, on a full /run, is as good as a change that
   * cannot be written.
   */
  constructor(setup: ChangeLogSetup) {
    this.#setup = setup;
    this.#values = this.#read();
    try {
      this.#renew();
    } catch (err) {
      if (!existsSync(setup.path)) throw err;
      this.#failed(err);
    }
  }

  /** Bytes of the file. */
  get size(): number {
    return this.#bytes;
  }

  /** Plain data. */
  *entries(): Iterable<[key: string, value: unknown]> {
    for (const [key, text] of this.#values) yield [key, JSON.parse(text)];
  }

  /**
   * All changes or, over a crash of this process, none. They are in the kernel's hands when this
   * returns true; false: they will be with the next change that can be written, unless it is frozen.
   */
  write(changes: readonly Change[]): boolean {
    if (this.#isFrozen) return false;
    if (changes.length === 0 && !this.#isBehind) return true;
    const written = changes.map((change) => this.#note(change));
    try {
      if (this.#isBehind || this.#isMostlyGarbage) this.#renew();
      else this.#append(`[${written.join()}]\n`);
      this.#isBehind = false;
    } catch (err) {
      this.#failed(err);
    }
    return !this.#isBehind;
  }

  /** Returns the change as the file has it. */
  #note([key, value]: Change): string {
    if (value === undefined) {
      this.#values.delete(key);
      return `[${JSON.stringify(key)}]`;
    }
    const text = JSON.stringify(value);
    this.#values.set(key, text);
    return entryText(key, text);
  }

  /** Nothing is changed any more, whatever is asked. */
  freeze(): void {
    this.#isFrozen = true;
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  get #isMostlyGarbage(): boolean {
    return this.#bytes > 2 * this.#bytesWhenNew + leastGarbageBytes;
  }

  #failed(err: unknown): void {
    const { logger, path } = this.#setup;
    if (!this.#isBehind) {
      logger.error({ path, err }, 'cannot store what a restart would need');
    }
    this.#isBehind = true;
  }

  #append(line: string): void {
    const bytes = Buffer.from(line);
    const written = writeSync(this.#fd, bytes);
    if (written < bytes.length) {
      ftruncateSync(this.#fd, this.#bytes);
      throw new Error(`only ${written} of ${bytes.length} bytes could be written`);
    }
    this.#bytes += written;
  }

  /** Under another name first: whenever this process dies, one whole file is there. */
  #renew(): void {
    const { path, header } = this.#setup;
    const lines = [JSON.stringify(header)];
    for (const [key, text] of this.#values) lines.push(`[${entryText(key, text)}]`);
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    const fd = openSync(`${path}.new`, newFile, 0o600);
    try {
      if (writeSync(fd, bytes) < bytes.length) throw new Error(`no room for ${path}`);
      renameSync(`${path}.new`, path);
    } catch (error) {
      closeSync(fd);
      rmSync(`${path}.new`, { force: true }); // half of it would take the room that others need
      throw error;
    }
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = fd;
    this.#bytes = bytes.length;
    this.#bytesWhenNew = bytes.length;
  }

  #read(): Map<string, string> {
    const { path, logger } = this.#setup;
    try {
      return this.#parse(readFileSync(path, 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
      const reason = error instanceof Error ? error.message : String(error);
      logger.warn({ path, reason }, 'ignored: objects of an earlier daemon cannot be restored');
      return new Map();
    }
  }

  #parse(text: string): Map<string, string> {
    const [first = '', ...lines] = text.split('\n');
    if (!this.#accepts(first)) throw new Error('it is of another boot, version or program');
    // What follows the last newline was being written when its writer died: nobody relied on it.
    lines.pop();
    const values = new Map<string, string>();
    for (const [index, line] of lines.entries()) {
      try {
        this.#apply(line, values);
      } catch (cause) {
        throw new Error(`line ${index + 2} is damaged`, { cause });
      }
    }
    return values;
  }

  #accepts(line: string): boolean {
    try {
      return this.#setup.accepts(JSON.parse(line));
    } catch {
      return false;
    }
  }

  #apply(line: string, values: Map<string, string>): void {
    for (const [key, value] of JSON.parse(line) as Change[]) {
      if (typeof key !== 'string') throw new Error('no key');
      if (value === undefined) {
        values.delete(key);
        continue;
      }
      this.#setup.check(key, value);
      values.set(key, JSON.stringify(value));
    }
  }
}

/** A key with its value as the file has it. */
function entryText(key: string, value: string): string {
  return `[${JSON.stringify(key)},${value}]`;
}
