// SPDX-License-Identifier: Apache-2.0
// What remotes on hardware need of the kernel, whichever they are.

import { type Finding, fail, ok } from './finding.ts';
import type { Machine } from './machine.ts';

const driver = 'uio_pdrv_genirq';
const check = 'kernel';

export function checkKernel(machine: Machine): Finding[] {
  if (!machine.exists(`/sys/module/${driver}`)) {
    const remedy = `modprobe ${driver} of_id=generic-uio; if there is no such module, build the kernel with CONFIG_UIO_PDRV_GENIRQ`;
    return [fail(check, `the driver ${driver} is not there`, remedy)];
  }
  // Its parameter is not in sysfs; a device that it has is the proof.
  if (machine.list('/sys/class/uio').length > 0) return [ok(check, `${driver} has devices`)];
  if (isToldItsName(machine)) return [ok(check, `${driver} is there, and is told generic-uio`)];
  const remedy = `put ${driver}.of_id=generic-uio on the kernel's command line, or "options ${driver} of_id=generic-uio" into /etc/modprobe.d and load it again`;
  return [fail(check, `${driver} is not told which nodes are its own`, remedy)];
}

function isToldItsName(machine: Machine): boolean {
  const commandLine = machine.read('/proc/cmdline') ?? '';
  if (new RegExp(`(^| )${driver}\\.of_id=`).test(commandLine)) return true;
  return ['/etc/modprobe.d', '/usr/lib/modprobe.d', '/run/modprobe.d'].some((folder) =>
    machine.list(folder).some((name) => {
      const text = machine.read(`${folder}/${name}`) ?? '';
      return new RegExp(`^\\s*options\\s+${driver}\\s.*of_id=`, 'm').test(text);
    }),
  );
}
