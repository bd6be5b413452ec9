// SPDX-License-Identifier: Apache-2.0
// Runs the parts of the daemon in order, and stops those that run in exact reverse.

export interface Part {
  readonly name: string;
  start(): Promise<void> | void;
  /** Called only if start() succeeded. */
  stop?(): Promise<void> | void;
}

export interface LifecycleLogger {
  debug(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** A stop that was asked for while the parts were still being started. */
export class StartCancelled extends Error {
  override readonly name = 'StartCancelled';
}

export class Lifecycle {
  readonly #logger: LifecycleLogger;
  readonly #running: Part[] = [];
  #stopping: Promise<boolean> | undefined;
  #starting: Promise<void> = Promise.resolve();

  constructor(logger: LifecycleLogger) {
    this.#logger = logger;
  }

  /**
   * Starts each part when the one before it runs. Rejects with the error of the first that fails, or
   * with StartCancelled; what runs by then is for stop() to end.
   */
  start(parts: readonly Part[]): Promise<void> {
    const work = this.#startAll(parts);
    this.#starting = work.catch(() => {});
    return work;
  }

  async #startAll(parts: readonly Part[]): Promise<void> {
    for (const part of parts) {
      if (this.#stopping !== undefined) throw new StartCancelled('stopped while starting');
      this.#logger.debug({ part: part.name }, 'starting');
      await part.start();
      this.#running.push(part);
    }
  }

  /**
   * Stops what runs, last started first, each in spite of the others' failures. Resolves to true when
   * every part stopped well within `deadlineMs` for all of them together. Idempotent.
   */
  stop(deadlineMs: number): Promise<boolean> {
    this.#stopping ??= this.#stopWithin(deadlineMs);
    return this.#stopping;
  }

  async #stopWithin(deadlineMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => {
        this.#logger.error(
          { deadlineMs, part: this.#running.at(-1)?.name },
          'stopping takes too long',
        );
        resolve(false);
      }, deadlineMs);
    });
    try {
      return await Promise.race([this.#stopAll(), expired]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #stopAll(): Promise<boolean> {
    // Let a start() that is under way come to its end: only then is it known what runs.
    await this.#starting;
    let well = true;
    for (let part = this.#running.at(-1); part !== undefined; part = this.#running.at(-1)) {
      this.#logger.debug({ part: part.name }, 'stopping');
      try {
        await part.stop?.();
      } catch (err) {
        well = false;
        this.#logger.error({ part: part.name, err }, 'cannot stop');
      }
      this.#running.pop();
    }
    return well;
  }
}
