// SPDX-License-Identifier: Apache-2.0
// Runs a program under service-manager.c, which starts it again whenever it ends and keeps descriptors
// for it meanwhile. Lives count from 1.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from '../../packaging/dev/child.mjs';
import { compileHelper } from './bus-process.ts';

export interface ManagerOptions {
  /** How long the service is away after each death (RestartSec=). Default 0. */
  readonly restartDelayMs?: number;
  /** How many descriptors are kept (FileDescriptorStoreMax=). Default 4,096. */
  readonly storeMax?: number;
}

/**
 * What stands before the command of a service, for Scene's `daemonLauncher` too; it listens for
 * notifications in `directory`.
 */
export function managerCommand(directory: string, options: ManagerOptions = {}): string[] {
  const { restartDelayMs = 0, storeMax = 4096 } = options;
  const program = compileHelper('service-manager');
  return [program, join(directory, 'notify'), `${restartDelayMs}`, `${storeMax}`];
}

/** A service manager that runs, and its service. */
export class ServiceManager {
  readonly #child: Child;

  /** `child` runs a managerCommand(). */
  constructor(child: Child) {
    this.#child = child;
  }

  /** What the manager and the service have written, the last 16 KiB of it. */
  get output(): string {
    return this.#child.output;
  }

  /** Resolves when one of them has written it. service-manager.c says what the manager writes. */
  said(pattern: RegExp, timeoutMs?: number): Promise<void> {
    return this.#child.said(pattern, timeoutMs);
  }

  /** Resolves with the process id of a life once that has said READY. */
  async ready(life: number, timeoutMs?: number): Promise<number> {
    const line = new RegExp(`^READY ${life} (\\d+)$`, 'm');
    await this.said(line, timeoutMs);
    return Number(line.exec(this.output)?.[1]);
  }

  /** Ends a life as soon as it is ready, by default as a crash does. The next one follows by itself. */
  async kill(life: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    process.kill(await this.ready(life), signal);
  }

  /** Ends the service in order. Resolves with its exit status, 128 and the number for a signal. */
  async stop(): Promise<number | null> {
    return (await this.#child.stop('SIGTERM')).code;
  }
}

/** Runs `command` under a service manager in a directory of its own, which is gone with stop(). */
export class ManagedService extends ServiceManager {
  readonly #directory: string;

  private constructor(directory: string, child: Child) {
    super(child);
    this.#directory = directory;
  }

  static start(command: readonly string[], options: ManagerOptions = {}): ManagedService {
    const directory = mkdtempSync(join(tmpdir(), 'rpmsgd-manager-'));
    const [program = '', ...words] = [...managerCommand(directory, options), ...command];
    return new ManagedService(directory, new Child('service-manager', program, words));
  }

  override async stop(): Promise<number | null> {
    const status = await super.stop();
    rmSync(this.#directory, { recursive: true, force: true });
    return status;
  }
}
