// SPDX-License-Identifier: Apache-2.0
// Logs what a peer does wrong without letting the peer fill the log: a few lines an interval for
// each kind of fault, then one line that says how many were left out.

export interface FaultLogger {
  warn(details: object, message: string): void;
}

export interface FaultLogOptions {
  /** Lines of one kind in an interval. Default 5. */
  readonly burst?: number;
  /** Default 10,000. */
  readonly intervalMs?: number;
}

interface Kind {
  logged: number;
  suppressed: number;
  details: object;
  message: string;
}

export class FaultLog {
  readonly #logger: FaultLogger;
  readonly #burst: number;
  readonly #intervalMs: number;
  readonly #kinds = new Map<string, Kind>();

  constructor(logger: FaultLogger, options: FaultLogOptions = {}) {
    this.#logger = logger;
    this.#burst = options.burst ?? 5;
    this.#intervalMs = options.intervalMs ?? 10_000;
  }

  /** `kind` tells faults apart that are counted together, such as `cm40/vdev0 malformed`. */
  warn(kind: string, details: object, message: string): void {
    const known = this.#kinds.get(kind) ?? this.#begin(kind, details, message);
    if (known.logged < this.#burst) {
      known.logged += 1;
      this.#logger.warn(details, message);
      return;
    }
    known.suppressed += 1;
    known.details = details;
    known.message = message;
  }

  #begin(kind: string, details: object, message: string): Kind {
    const fresh = { logged: 0, suppressed: 0, details, message };
    this.#kinds.set(kind, fresh);
    setTimeout(() => this.#end(kind, fresh), this.#intervalMs).unref();
    return fresh;
  }

  #end(kind: string, { suppressed, details, message }: Kind): void {
    this.#kinds.delete(kind);
    if (suppressed > 0) this.#logger.warn({ ...details, suppressed }, message);
  }
}

/** The part of a pino logger that is used where peers cause what is logged. */
export interface PeerLogger extends FaultLogger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  error(details: object, message: string): void;
}

/**
 * `log` with its warnings bounded: they are what peers can cause. Those of the same message, remote
 * and vdev are counted together.
 */
export function limitWarnings(log: PeerLogger, options: FaultLogOptions = {}): PeerLogger {
  const faults = new FaultLog(log, options);
  return {
    debug: (details, message) => log.debug(details, message),
    info: (details, message) => log.info(details, message),
    error: (details, message) => log.error(details, message),
    warn: (details, message) => {
      const { remote, vdev } = details as { remote?: unknown; vdev?: unknown };
      faults.warn(JSON.stringify([message, remote, vdev]), details, message);
    },
  };
}
