// SPDX-License-Identifier: Apache-2.0
// The first installation on a machine that never saw the package: the service runs at once.

import { afterEach, expect, test } from 'vitest';
import { installFiles, packageFile } from './support/installed.ts';
import { type BusDaemon, Machine } from './support/machine.ts';

let machine: Machine | undefined;

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error(await machine?.recentJournal());
  await machine?.stop();
  machine = undefined;
});

/** What either bus daemon, or the daemon itself, says of a name that it may not own. */
const refusal = /not allowed to own|security policy|AccessDenied|refused|denied/i;

for (const bus of ['dbus-daemon', 'dbus-broker'] satisfies BusDaemon[]) {
  test(`the first installation starts the service at once, unrefused, the simulator never, beside ${bus}`, async () => {
    machine = await Machine.boot(bus);
    const comm = await machine.must(['ps', '-o', 'comm=', '-C', `${bus}`]);
    expect(comm).toContain(bus);
    await installFiles(machine, [packageFile('rpmsgd')]);
    const unit = await machine.unit('rpmsgd');
    expect(unit).toMatchObject({
      ActiveState: 'active',
      SubState: 'running',
      NRestarts: '0',
      UnitFileState: 'enabled',
    });
    const messages = (await machine.journal()).map((entry) => entry['MESSAGE'] ?? '');
    const refused = messages.filter((text) => text.includes('rpmsg') && refusal.test(text));
    expect(refused).toEqual([]);
    const version = ['get-property', 'org.rpmsg', '/org/rpmsg', 'org.rpmsg.Manager', 'Version'];
    expect(await machine.must(['busctl', ...version])).toMatch(/^s "/);
    await installFiles(machine, [packageFile('rpmsgd-simulator')]);
    expect(await machine.unit('rpmsg-simulator')).toMatchObject({
      ActiveState: 'inactive',
      UnitFileState: 'disabled',
    });
    expect(await machine.unit('rpmsgd')).toMatchObject({
      NRestarts: '0',
      MainPID: unit['MainPID'],
    });
  });
}

test('with neither hardware nor simulator the service is up and says what to do', async () => {
  machine = await Machine.boot();
  await installFiles(machine, [packageFile('rpmsgd')]);
  const { ActiveState, StatusText } = await machine.unit('rpmsgd');
  expect({ ActiveState, StatusText }).toEqual({
    ActiveState: 'active',
    StatusText: expect.stringContaining('no remote configured'),
  });
  expect(await machine.must(['systemctl', 'status', 'rpmsgd'])).toContain('/etc/rpmsg/rpmsgd.toml');
  const warnings = await machine.journal('--unit=rpmsgd', '--priority=warning');
  expect(warnings.map((entry) => entry['MESSAGE'])).toEqual([
    expect.stringContaining('no remote configured'),
  ]);
});
