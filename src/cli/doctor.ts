// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl doctor`: examines this machine and says what is wrong and what to do.

import type { SimSetup } from '../addon/types.ts';
import type { RemoteConfig } from '../config/index.ts';
import { lookAtConfiguration } from './doctor/configuration.ts';
import { type DaemonLook, daemonNotAsked, lookAtDaemon } from './doctor/daemon.ts';
import { type Finding, fail, ok, printFindings } from './doctor/finding.ts';
import { checkHardware, type Examination } from './doctor/hardware.ts';
import { checkKernel } from './doctor/kernel.ts';
import { Machine } from './doctor/machine.ts';
import { MachineTree } from './doctor/tree.ts';
import { CliStatus, RpmsgctlError } from './errors.ts';
import type { CommandContext, Verb } from './verb.ts';

export const doctor: Verb = {
  name: 'doctor',
  usage: '',
  summary: 'examine this machine: what is wrong, and what to do',
  calls: [
    'org.freedesktop.DBus.Properties.Get (org.rpmsg.Manager Version)',
    'org.freedesktop.DBus.ObjectManager.GetManagedObjects',
  ],
  options: [
    { name: 'root', value: 'DIR', summary: 'examine the machine whose files are below DIR' },
    {
      name: 'mu',
      summary:
        "read the MU's registers even if its node has neither clock nor power:\nthat may stop the machine",
    },
  ],
  details: `One line a check: ok, warn or FAIL, and what to do. Exit status 1 if one is FAIL. With --root
the daemon is not asked.
`,
  run: async (context: CommandContext) => {
    const findings = await examine(context);
    if (context.json) context.print(`${JSON.stringify(findings, undefined, 2)}\n`);
    else context.print(printFindings(findings));
    const failed = findings.filter(({ state }) => state === 'fail').length;
    if (failed === 0) return;
    const checks = failed === 1 ? '1 check' : `${failed} checks`;
    throw new RpmsgctlError(CliStatus.failure, `${checks} failed`);
  },
};

async function examine(context: CommandContext): Promise<Finding[]> {
  const root = context.options['root'];
  const machine = new Machine(typeof root === 'string' ? root : '/');
  const { config, findings } = lookAtConfiguration(machine);
  const remotes = config?.remotes ?? [];
  const isOnHardware = remotes.some(({ setup }) => setup.platform.kind === 'uio');
  const daemon: DaemonLook =
    root === undefined ? await lookAtDaemon(() => context.bus()) : daemonNotAsked;
  const examination: Examination = {
    machine,
    tree: new MachineTree(machine),
    readsUnpoweredMu: context.options['mu'] === true,
    muServer: daemon.muServer,
  };
  const checked: Finding[] = [];
  for (const remote of remotes) checked.push(...(await checkRemote(examination, remote)));
  return [
    ...findings,
    ...(isOnHardware ? checkKernel(machine) : []),
    ...checked,
    ...daemon.findings,
  ];
}

async function checkRemote(examination: Examination, remote: RemoteConfig): Promise<Finding[]> {
  const { platform } = remote.setup;
  if (platform.kind === 'uio') return await checkHardware(examination, remote, platform);
  return [checkSimulator(examination.machine, remote.name, platform)];
}

function checkSimulator(machine: Machine, name: string, { socket }: SimSetup): Finding {
  const check = `${name} board`;
  if (machine.exists(socket)) return ok(check, `a simulated SoC listens on ${socket}`);
  const remedy = 'systemctl start rpmsg-simulator, or rpmsg-soc --socket with that path';
  return fail(check, `no simulated SoC listens on ${socket}`, remedy);
}
