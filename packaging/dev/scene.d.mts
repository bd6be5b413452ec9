// SPDX-License-Identifier: Apache-2.0
// Types of scene.mjs for the tests.

import type { Child, Exit } from './child.mjs';

export const firmwareChannels: readonly string[];
export const nxpChannels: readonly string[];
/** Firmware behaves as OpenAMP unless a test says otherwise. */
export const isOpenamp: boolean;
export function firmwareAddress(channel: string, isOfOpenamp?: boolean): number;
export const defaultConfig: object;

export interface CoreOfScene {
  readonly core: string;
  readonly vdevs: number;
}

export interface DaemonOptions {
  readonly daemonArgs?: readonly string[];
  readonly daemonEnv?: NodeJS.ProcessEnv;
  /** What stands before the daemon's command, as managerCommand() of test/support. */
  readonly daemonLauncher?: readonly string[];
  readonly show?: boolean;
}

export interface SceneOptions extends DaemonOptions {
  /** Contents of rpmsgd.toml; sockets are chosen by the scene. Default: defaultConfig. */
  readonly config?: object | undefined;
  /** A file instead. */
  readonly configFile?: string | undefined;
  /** Use this bus instead of a private dbus-daemon. */
  readonly busAddress?: string | undefined;
  /** The daemon is started by others. */
  readonly withoutDaemon?: boolean | undefined;
  /** Give up and leave nothing behind. */
  readonly signal?: AbortSignal | undefined;
  /** The daemon is told where each remote has its resource table. Default: isOpenamp. */
  readonly resourceTable?: boolean | undefined;
  /** Command line of a core's firmware; undefined: none is started. */
  readonly firmware?: ((core: CoreOfScene) => string | undefined) | undefined;
}

export function firmwareCommand(vdevs: number, options?: string): string;

export class Scene {
  static start(options?: SceneOptions): Promise<Scene>;
  address: string;
  readonly directory: string;
  readonly config: Record<string, unknown>;
  readonly socs: readonly Child[];
  /** Undefined only until it is started, by whomever. */
  /** There is none yet with `withoutDaemon`. */
  readonly daemon: Child;
  /** The private bus, unless one was given. */
  readonly bus: Child | undefined;
  /** The words that start a daemon here. */
  daemonCommand(): string[];
  startDaemon(options?: DaemonOptions): Promise<void>;
  waitForChannels(channels?: readonly string[], timeoutMs?: number): Promise<void>;
  stop(): Promise<Exit | undefined>;
}
