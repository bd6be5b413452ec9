// SPDX-License-Identifier: Apache-2.0
// Which process runs where: the daemon on CPU 0, all it works with on CPU 1. Of a reference the part
// that stands for the daemon is on CPU 0, too, and the rest on CPU 1.

import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import type { Scene } from '../../packaging/dev/scene.mjs';

export const daemonCpu = 0;
export const restCpu = 1;

function pin(pid: number, cpu: number): boolean {
  const args = ['--all-tasks', '--cpu-list', '--pid', String(cpu), String(pid)];
  return spawnSync('taskset', args).status === 0;
}

let isPossible: boolean | undefined;

/** Whether there are two CPUs, and taskset(1). This process is on the second one then. */
function canPin(): boolean {
  isPossible ??= cpus().length > 1 && pin(process.pid, restCpu);
  return isPossible;
}

/** The words of a command that runs on that CPU, where that can be. */
export function pinned(cpu: number, command: string, args: readonly string[]): string[] {
  return canPin() ? ['taskset', '-c', String(cpu), command, ...args] : [command, ...args];
}

/** Pins processes that run already, with all their threads. */
export function pinTo(cpu: number, pids: readonly (number | undefined)[]): void {
  if (!canPin()) return;
  for (const pid of pids) if (pid !== undefined) pin(pid, cpu);
}

/** Firmware that the boards run, by what they said. */
function firmwarePids({ socs }: Scene): number[] {
  const started = socs.flatMap(({ output }) => [
    ...output.matchAll(/firmware started pid (\d+)$/gm),
  ]);
  const last = started.at(-1)?.[1];
  return last === undefined ? [] : [Number(last)];
}

/** Pins a scene of one board and this process; what the scene starts later follows. */
export function pinScene(scene: Scene): void {
  pinTo(daemonCpu, [scene.daemon?.pid]);
  const rest = [scene.bus, ...scene.socs].map((child) => child?.pid);
  pinTo(restCpu, [...rest, ...firmwarePids(scene)]);
}

/** Whether it can be done here, in words for the top of the table. */
export function describePinning(): string {
  if (!canPin()) return 'not pinned: this needs two CPUs and taskset(1)';
  return (
    `daemon on CPU ${daemonCpu}; client, bus, board and firmware on CPU ${restCpu}; of a reference ` +
    `what stands for the daemon on CPU ${daemonCpu}, the rest on CPU ${restCpu}; busy_poll_us 0`
  );
}
