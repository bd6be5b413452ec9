// SPDX-License-Identifier: Apache-2.0
// The remote's end in the booted system: the simulator of the package resets it as SCFW does, and the
// daemon in its sandbox is told, by the same way as on hardware.

import { expect, test } from 'vitest';
import { sharedMachine } from './support/fixture.ts';
import { echoBytes, simulatedMachine, users, waitForEcho } from './support/installed.ts';
import { until } from './support/until.ts';

const machine = sharedMachine(() => simulatedMachine());

async function remote(property: string): Promise<string> {
  const words = ['org.rpmsg', '/org/rpmsg/cm40', 'org.rpmsg.Remote', property];
  return (await machine().must(['busctl', 'get-property', ...words])).trim();
}

test('the daemon learns the partition of its remote from SCFW', async () => {
  expect(await remote('Partition')).toBe('i 2');
});

test.each(['reset', 'lockup', 'kill'])(
  'rpmsgctl sim %s is told as a reset, and the channels come back',
  async (verb) => {
    const before = Number((await remote('ResetCount')).split(' ')[1]);
    await machine().must(['rpmsgctl', 'sim', verb, 'cm40']);
    const isCounted = async () => (await remote('ResetCount')) === `u ${before + 1}`;
    await until('the reset is counted', isCounted);
    expect(await remote('LastReset')).toMatch(/^\(ts\) \d+ "rebooted"$/);
    await until('it is attached again', async () => (await remote('State')) === 's "attached"');
    await waitForEcho(machine());
    expect(await echoBytes(machine(), [1, 2])).toEqual([1, 2]);
    expect(await isCounted()).toBe(true);
  },
);

test('only root and the simulator itself may do that to it', async () => {
  const { status, stderr } = await machine().exec(['rpmsgctl', 'sim', 'kill', 'cm40'], {
    user: users.admin,
  });
  expect(status).not.toBe(0);
  expect(stderr).toMatch(/permi/i);
});
