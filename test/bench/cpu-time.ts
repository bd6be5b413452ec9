// SPDX-License-Identifier: Apache-2.0
// CPU time that a process has used, as the scheduler counts it.

import { readdirSync, readFileSync } from 'node:fs';

/** Of all its living threads, in seconds; to the nanosecond, unlike what proc(5) has of ticks. */
export function cpuSeconds(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const ns = tasks.map((task) => {
    const [ran = '0'] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ');
    return Number(ran);
  });
  return ns.reduce((sum, each) => sum + each, 0) / 1e9;
}
