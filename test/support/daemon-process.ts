// SPDX-License-Identifier: Apache-2.0
// A real daemon for tests: simulated SoC, firmware, a bus of any kind, dist/rpmsgd.js. Its end is
// part of every test: SIGTERM, then exit status 0.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Child } from '../../packaging/dev/child.mjs';
import { Scene, type SceneOptions } from '../../packaging/dev/scene.mjs';
import { type BusKind, type BusProcess, startBus } from './bus-process.ts';

export interface DaemonSetup extends Omit<SceneOptions, 'busAddress'> {
  readonly bus?: BusKind;
  /** Wait for these channels on every vdev; false: only for the daemon's name. Default: all. */
  readonly channels?: readonly string[] | false;
}

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const checkout = fileURLToPath(new URL('../../', import.meta.url));

/** Runs a program to its end, never throwing for what it does. */
export function runProgram(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, timeout: 30_000 };
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      const status = error === null ? 0 : (child.exitCode ?? 255);
      resolve({ status, stdout, stderr });
    });
  });
}

export class DaemonProcess {
  readonly scene: Scene;
  readonly bus: BusProcess;

  private constructor(scene: Scene, bus: BusProcess) {
    this.scene = scene;
    this.bus = bus;
  }

  /** Resolves when the channels are published. */
  static async start({
    bus: kind,
    channels,
    ...options
  }: DaemonSetup = {}): Promise<DaemonProcess> {
    const bus = await startBus(kind ?? 'dbus-daemon system');
    try {
      const scene = await Scene.start({ ...options, busAddress: bus.address });
      const daemon = new DaemonProcess(scene, bus);
      if (channels !== false) await daemon.#waitOrStop(channels);
      return daemon;
    } catch (error) {
      await bus.stop();
      throw error;
    }
  }

  async #waitOrStop(channels: readonly string[] | undefined): Promise<void> {
    try {
      await this.scene.waitForChannels(channels);
    } catch (error) {
      await this.scene.stop();
      throw error;
    }
  }

  /** The process of rpmsgd. */
  get process(): Child {
    return this.scene.daemon;
  }

  get address(): string {
    return this.bus.address;
  }

  /** Ends the daemon alone by `signal` and starts the next one; the firmware goes on all the while. */
  async restart(signal: 'SIGTERM' | 'SIGKILL', whileDown = async () => {}): Promise<void> {
    this.process.kill(signal);
    const { code } = await this.process.exited;
    if (signal === 'SIGTERM' && code !== 0) throw this.process.failure();
    await whileDown();
    await this.scene.startDaemon();
  }

  busctl(...args: string[]): Promise<CommandResult> {
    return runProgram('busctl', ['--system', ...args], { DBUS_SYSTEM_BUS_ADDRESS: this.address });
  }

  rpmsgctl(...args: string[]): Promise<CommandResult> {
    const program = `${checkout}dist/rpmsgctl.js`;
    return runProgram(process.execPath, [program, '--bus', this.address, ...args]);
  }

  /** Stops by SIGTERM and throws, with the daemon's log, unless it exits with `status`. */
  async stop(status = 0): Promise<void> {
    const result = await this.scene.stop();
    await this.bus.stop();
    if (result?.code !== status) throw this.process.failure();
  }
}
