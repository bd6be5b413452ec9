// SPDX-License-Identifier: Apache-2.0
// Which process runs where: the daemon on CPU 0, all it works with on CPU 1.

import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import type { Scene } from '../../packaging/dev/scene.mjs';

const daemonCpu = 0;
const restCpu = 1;

function pin(pid: number | undefined, cpu: number): boolean {
  const args = ['--all-tasks', '--cpu-list', '--pid', String(cpu), String(pid)];
  return spawnSync('taskset', args).status === 0;
}

/** Pins a scene and this process; what the scene starts later follows. */
export function pinScene({ daemon, socs, bus }: Scene): void {
  pin(daemon.pid, daemonCpu);
  for (const { pid } of [...socs, ...(bus === undefined ? [] : [bus])]) pin(pid, restCpu);
  pin(process.pid, restCpu);
}

/** Whether it can be done here, in words for the top of the table. */
export function describePinning(): string {
  const isPossible = cpus().length > 1 && pin(process.pid, restCpu);
  if (!isPossible) return 'not pinned: this needs two CPUs and taskset(1)';
  return `daemon on CPU ${daemonCpu}; client, bus, board and firmware on CPU ${restCpu}`;
}
