// SPDX-License-Identifier: Apache-2.0
// The installed daemon on real UIO devices, under systemd with its sandbox: messages over rings in a
// UIO mapping, and platform = "uio" on a device that belongs to it alone.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../e2e/support/until.ts';
import { Machine, quoted } from './support/machine.ts';

const machine = await Machine.boot('daemon');
afterAll(() => machine.stop());

const remote = '/org/rpmsg/cm40';
const echo = `${remote}/vdev0/channel_echo`;
const socket = '/run/board.socket';

const board = [
  `rpmsg-soc --socket ${socket} --memory uio:rpmsg-mu`,
  '--firmware "cm40=/usr/bin/rpmsg-firmware --vdevs 1"',
].join(' ');

const simulated = `[[remote]]
name = "cm40"
platform = "sim"
soc = "imx8qxp"
socket = "${socket}"
vdevs = 1
`;

const hardware = `[[remote]]
name = "cm40"
platform = "uio"
soc = "imx8qxp"
mu_device = "rpmsg-mu"
vdevs = 1
`;

function configure(text: string): Promise<string> {
  return machine.must(`mkdir -p /etc/rpmsg; printf %s ${quoted(text)} >/etc/rpmsg/rpmsgd.toml`);
}

async function property(path: string, name: string, of: string): Promise<string> {
  const words = `busctl get-property org.rpmsg ${path} org.rpmsg.${of} ${name}`;
  return (await machine.exec(words)).output.trim();
}

/** Waits for the channel of this life of the remote, or of a later one. */
async function untilEcho(generation = 1): Promise<void> {
  await until(
    `echo is there, of generation ${generation}`,
    async () => {
      const [, now] = (await property(remote, 'Generation', 'Remote')).split(' ');
      return (
        Number(now) >= generation && (await property(echo, 'Connected', 'Endpoint')) === 'b true'
      );
    },
    60,
  );
}

/** What the M core echoes to so many bytes, which count up. */
async function echoed(size: number): Promise<string> {
  const call = `busctl call org.rpmsg ${echo} org.rpmsg.Endpoint`;
  const bytes = Array.from({ length: size }, (_, index) => index % 256).join(' ');
  const receive = `${call} Receive uu 1 20000`;
  const answer = await machine.must(`${call} Send ay ${size} ${bytes}; ${receive}`);
  // a(tuutay)t: count, seq, src, generation, time, then the bytes, then dropped.
  return answer.trim().split(' ').slice(6, -1).join(' ');
}

function expected(size: number): string {
  return [size, ...Array.from({ length: size }, (_, index) => index % 256)].join(' ');
}

/** The mappings of a unit's main process. */
async function mappings(unit: string): Promise<string> {
  return await machine.must(`cat /proc/$(systemctl show -P MainPID ${unit})/maps`);
}

test('udev gives the devices to the daemon alone', async () => {
  const found = await machine.must('stat -c "%U:%G %a" /dev/uio0 /dev/uio1');
  expect(found).toBe('root:rpmsgd 660\nroot:rpmsgd 660\n');
});

describe('a simulated board with its memory in a UIO device', () => {
  beforeAll(async () => {
    await configure(simulated);
    await machine.must(`systemd-run --quiet --unit=board -p UMask=0 ${board}`);
    await until(
      'the board listens',
      async () => (await machine.exec(`test -S ${socket}`)).status === 0,
    );
    await machine.must('systemctl start rpmsgd');
    await untilEcho();
  }, 120_000);
  afterAll(() => machine.exec('systemctl stop rpmsgd board'));

  test('has its rings where the daemon maps them: in Device memory of the kernel', async () => {
    expect(await mappings('rpmsgd')).toMatch(/rw-s .* \/dev\/uio\d\n/);
    expect(await mappings('board')).not.toMatch(/rpmsg-ddr/);
  });

  test.each([0, 1, 2, 3, 5, 7, 8, 9, 17, 255, 496])('echoes %i bytes', async (size) => {
    expect(await echoed(size)).toBe(expected(size));
  });

  test('goes on after the daemon was stopped by SIGSTOP and continued', async () => {
    await machine.must('systemctl kill -s STOP --kill-whom=main rpmsgd');
    await machine.must('systemctl kill -s CONT --kill-whom=main rpmsgd');
    expect(await echoed(33)).toBe(expected(33));
  });

  test.each(['systemctl restart rpmsgd', 'systemctl kill -s KILL --kill-whom=main rpmsgd'])(
    'goes on after %s, in the same life',
    async (end) => {
      const before = await property(remote, 'Generation', 'Remote');
      const pid = await machine.must('systemctl show -P MainPID rpmsgd');
      await machine.must(end);
      await until(
        'there is another daemon',
        async () => {
          const now = await machine.must('systemctl show -P MainPID rpmsgd');
          return now !== pid && now !== '0\n';
        },
        60,
      );
      await untilEcho();
      expect(await echoed(64)).toBe(expected(64));
      expect(await property(remote, 'Generation', 'Remote')).toBe(before);
    },
  );

  test('comes back after its firmware crashed, with fresh rings', async () => {
    const [, generation] = (await property(remote, 'Generation', 'Remote')).split(' ');
    await machine.must('kill -KILL $(pidof rpmsg-firmware)');
    await untilEcho(Number(generation) + 1);
    expect(await echoed(100)).toBe(expected(100));
  });
});

describe('platform = "uio"', () => {
  const driver = '/sys/bus/platform/drivers/uio_pdrv_genirq';
  const device = '9010000.pl031';

  beforeAll(async () => {
    await machine.must('rm -rf /run/rpmsg/*');
    await configure(hardware);
    await machine.must('systemctl start rpmsgd');
  }, 120_000);
  afterAll(() => machine.exec('systemctl stop rpmsgd'));

  test('offers its rings, in memory of the device, to whatever is behind the MU', async () => {
    expect(await property(remote, 'Platform', 'Remote')).toBe('s "uio"');
    expect(await property(`${remote}/vdev0`, 'State', 'Device')).toMatch(/^s "(down|offered)"$/);
    const maps = (await mappings('rpmsgd')).match(/rw-s .* \/dev\/uio\d\n/g);
    expect(maps?.length).toBe(2);
  });

  test('a second daemon is refused and told who has the device', async () => {
    await machine.must('mkdir -p /run/second');
    const second = await machine.exec('timeout 60 rpmsgd --runtime-dir /run/second');
    const pid = (await machine.must('systemctl show -P MainPID rpmsgd')).trim();
    expect(second.output).toMatch(
      new RegExp(`UIO device "rpmsg-mu" \\(/dev/uio\\d\\) is held by process ${pid}:`),
    );
    expect(second.status).toBe(69);
  });

  test('doctor leaves a MU without power alone; told to, it looks beside the daemon that has it', async () => {
    const pid = await machine.must('systemctl show -P MainPID rpmsgd');
    // The clock that plays the MU has nothing where a MU has status and control.
    for (const [option, expected] of [
      ['', 'not looked at: to read a MU without clock or power may stop the machine'],
      ['--mu', 'the registers read as zeros: no clock or power'],
    ]) {
      const { output } = await machine.exec(`rpmsgctl doctor --json ${option} 2>/dev/null`);
      const findings = JSON.parse(output) as { check: string; text: string }[];
      expect(findings.find(({ check }) => check === 'cm40 MU state')?.text).toBe(expected);
    }
    expect(await machine.must('systemctl show -P MainPID rpmsgd')).toBe(pid);
    expect(await property(remote, 'Platform', 'Remote')).toBe('s "uio"');
  });

  test('a device that is unbound ends the daemon with 69; bound again, it serves the next', async () => {
    await machine.must(`echo ${device} >${driver}/unbind`);
    await until(
      'the daemon ended because of it',
      async () => (await machine.must('systemctl show -P ExecMainStatus rpmsgd')) === '69\n',
      60,
    );
    expect(await machine.must('systemctl show -P Result rpmsgd')).toBe('exit-code\n');
    await machine.must(`echo ${device} >${driver}/bind; udevadm settle; systemctl start rpmsgd`);
    expect(await property(remote, 'Platform', 'Remote')).toBe('s "uio"');
  });
});
