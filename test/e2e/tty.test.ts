// SPDX-License-Identifier: Apache-2.0
// Terminals of channels in the booted system: made within the service's sandbox, opened outside it by
// those they are for, and kept by systemd's own descriptor store.

import { expect, test } from 'vitest';
import { sharedMachine } from './support/fixture.ts';
import { echoBytes, simulatedMachine, users } from './support/installed.ts';
import type { Machine } from './support/machine.ts';
import { until } from './support/until.ts';

const link = '/run/rpmsg/tty/cm40-vdev0-rpmsg_2dvirtual_2dtty_2dchannel';
const apps = 'rpmsg-virtual-tty-channel,echo';

/** Firmware that has a terminal's channel, too. */
async function withTerminals(): Promise<Machine> {
  const machine = await simulatedMachine();
  const command = '/usr/bin/rpmsg-soc --socket /run/rpmsg-sim/soc.sock --firmware';
  machine.write(
    '/run/systemd/system/rpmsg-simulator.service.d/tty.conf',
    `[Service]\nExecStart=\nExecStart=${command} 'cm40=/usr/bin/rpmsg-firmware --app ${apps}'\n`,
  );
  await machine.shell('systemctl daemon-reload; systemctl restart rpmsg-simulator');
  await linkIsThere(machine);
  return machine;
}

async function linkIsThere(of: Machine): Promise<void> {
  await until('the link is there', async () => (await of.exec(['test', '-c', link])).status === 0);
}

const machine = sharedMachine(withTerminals);

/** What a user gets back for five bytes. */
const trip = `exec 3<>${link}; printf hello >&3; timeout 10 head -c 5 <&3`;

function talk(user: string) {
  return machine().exec(['bash', '-c', trip], { user });
}

/** As many bytes there and back as it takes until the file is there; says `ok` or what was wrong. */
const talkOn = `exec 3<>${link}
  touch /tmp/talking
  for ((n = 1; ; n++)); do
    printf '%08d' $n >&3
    answer=$(timeout 10 dd bs=8 count=1 iflag=fullblock status=none <&3)
    [ "$answer" = "$(printf '%08d' $n)" ] || { echo "$n: $answer"; exit 1; }
    [ ! -e /tmp/enough ] || break
  done
  echo ok`;

async function mainPid(): Promise<string | undefined> {
  return (await machine().unit('rpmsgd'))['MainPID'];
}

test('a member of rpmsg talks through the link, a user of no group may not open it', async () => {
  expect(await talk(users.member)).toEqual({ status: 0, stdout: 'hello', stderr: '' });
  const refused = await talk(users.outsider);
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).toContain('Permission denied');
  const stat = await machine().must(['stat', '-L', '-c', '%F %A %U %G', link]);
  expect(stat).toBe('character special file crw-rw---- rpmsgd rpmsg\n');
});

test('an open terminal goes on over restarts of the daemon, and is the same afterwards', async () => {
  const before = await machine().must(['readlink', link]);
  await machine().shell('rm -f /tmp/talking /tmp/enough');
  const talking = machine().exec(['bash', '-c', talkOn], { user: users.member });
  await until(
    'it talks',
    async () => (await machine().exec(['test', '-e', '/tmp/talking'])).status === 0,
  );
  for (let restart = 0; restart < 3; restart++) {
    await machine().must(['systemctl', 'restart', 'rpmsgd']);
  }
  await machine().shell('touch /tmp/enough');
  expect(await talking).toEqual({ status: 0, stdout: 'ok\n', stderr: '' });
  expect(await machine().must(['readlink', link])).toBe(before);
});

test('one that is open while the daemon is killed is used again', async () => {
  const before = await machine().must(['readlink', link]);
  const killed = await mainPid();
  const script = `exec 3<>${link}; touch /tmp/open; while [ ! -e /tmp/go ]; do sleep 0.05; done
    printf hello >&3; timeout 10 head -c 5 <&3`;
  await machine().shell('rm -f /tmp/open /tmp/go');
  const user = machine().exec(['bash', '-c', script], { user: users.member });
  await until(
    'it is open',
    async () => (await machine().exec(['test', '-e', '/tmp/open'])).status === 0,
  );
  await machine().must(['systemctl', 'kill', '--signal=KILL', '--kill-whom=main', 'rpmsgd']);
  await until('the next daemon', async () => {
    const { MainPID, ActiveState } = await machine().unit('rpmsgd');
    return ActiveState === 'active' && MainPID !== killed && MainPID !== '0';
  });
  await machine().shell('touch /tmp/go');
  expect(await user).toEqual({ status: 0, stdout: 'hello', stderr: '' });
  expect(await machine().must(['readlink', link])).toBe(before);
});

test('the example drop-in lets it be another group’s; without it that is logged, and nobody’s', async () => {
  const example = '/usr/share/doc/rpmsgd/examples/tty-group.conf';
  const rule = '[[channel]]\nname = "rpmsg-virtual-tty-channel"\ngroup = "dialout"\n';
  machine().write('/etc/rpmsg/rpmsgd.toml.d/60-test.toml', rule);
  await machine().must(['systemctl', 'restart', 'rpmsgd']);
  await linkIsThere(machine());
  expect((await talk(users.member)).status).not.toBe(0);
  const warnings = await machine().journal('-t', 'rpmsgd', '--priority=warning');
  expect(warnings.map((entry) => entry['MESSAGE'] ?? '').join('\n')).toContain(example);
  await machine().shell(`
    usermod --append --groups dialout ${users.outsider}
    mkdir -p /etc/systemd/system/rpmsgd.service.d
    cp ${example} /etc/systemd/system/rpmsgd.service.d/
    systemctl daemon-reload
    systemctl restart rpmsgd`);
  await linkIsThere(machine());
  expect(await talk(users.outsider)).toEqual({ status: 0, stdout: 'hello', stderr: '' });
  expect((await talk(users.member)).stderr).toContain('Permission denied');
  await machine().shell(`
    rm /etc/systemd/system/rpmsgd.service.d/tty-group.conf /etc/rpmsg/rpmsgd.toml.d/60-test.toml
    systemctl daemon-reload
    systemctl restart rpmsgd`);
  expect(await echoBytes(machine(), [1, 2, 3])).toEqual([1, 2, 3]);
});

test('the sandbox refuses the daemon nothing of it: a refused call would end it', async () => {
  const dropIn = '/run/systemd/system/rpmsgd.service.d/refusal.conf';
  machine().write(dropIn, '[Service]\nSystemCallErrorNumber=kill\n');
  await machine().shell('systemctl daemon-reload; systemctl stop rpmsgd; systemctl start rpmsgd');
  await linkIsThere(machine());
  expect(await talk(users.member)).toEqual({ status: 0, stdout: 'hello', stderr: '' });
  expect(await machine().unit('rpmsgd')).toMatchObject({ ActiveState: 'active', NRestarts: '0' });
  await machine().shell(`rm ${dropIn}; systemctl daemon-reload; systemctl restart rpmsgd`);
});
