// SPDX-License-Identifier: Apache-2.0
// OpenAMP firmware and its resource table: status byte, resets that it asks for, trace; on each
// generation of the MU, over each kind of bus.

import { afterEach, describe, expect, test } from 'vitest';
import { Child } from '../../packaging/dev/child.mjs';
import { firmwareCommand } from '../../packaging/dev/scene.mjs';
import type { BusKind } from '../support/bus-process.ts';
import { checkout } from '../support/daemon-process.ts';
import {
  channelPath,
  devicePath,
  errorOf,
  type RpmsgClient,
  type RpmsgEndpoint,
  until,
} from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';

interface Board {
  readonly soc: string;
  readonly core: string;
  readonly bus: BusKind;
}

const boards: readonly Board[] = [
  { soc: 'imx8qxp', core: 'cm40', bus: 'dbus-broker' },
  { soc: 'imx7ulp', core: 'm4', bus: 'dbus-daemon session' },
  { soc: 'imx93', core: 'm33', bus: 'dbus-daemon system' },
];
/** ACKNOWLEDGE, DRIVER, DRIVER_OK. */
const driving = 7;

let scene: SceneClient;
let client: RpmsgClient;

afterEach(() => scene?.stop());

/** What is to be done to a scene of one board; each test starts it. */
function sceneOf({ soc, core, bus }: Board) {
  const remote = `/org/rpmsg/${core}`;

  async function start(options: string, setup: { resourceTable?: boolean } = {}): Promise<void> {
    scene = await SceneClient.start({
      bus,
      config: { remote: [{ name: core, platform: 'sim', soc, vdevs: 2 }] },
      firmware: ({ vdevs }) => firmwareCommand(vdevs, options),
      resourceTable: true,
      channels: false,
      ...setup,
    });
    client = await scene.client();
  }

  async function opened(): Promise<RpmsgEndpoint> {
    const path = channelPath(core, 0, 'echo');
    await until(path, async () => (await client.objects()).includes(path));
    return await client.open(path);
  }

  async function roundTrip(endpoint: RpmsgEndpoint, text: string): Promise<void> {
    await until('Connected', async () => (await endpoint.get('Connected')) === true);
    await endpoint.send(Buffer.from(text));
    expect((await endpoint.receiveData()).toString()).toBe(text);
  }

  const get = (property: string) => client.get(remote, 'Remote', property);
  const status = (vdev: number) => client.get(devicePath(core, vdev), 'Device', 'Status');

  async function nextLife(cause: string): Promise<void> {
    await until('the next life', async () => (await get('Generation')) === 2);
    const [, told] = (await get('LastReset')) as [bigint, string];
    expect(told).toBe(cause);
  }

  return { remote, start, opened, roundTrip, get, status, nextLife };
}

describe.each(boards)('on $soc, $bus', (board) => {
  const { core } = board;
  const { remote, start, opened, roundTrip, get, status, nextLife } = sceneOf(board);

  test('a remote that waits for its status byte is served, and the byte is seen', async () => {
    await start('--behaviour openamp --ready none');
    await roundTrip(await opened(), 'hello');
    expect([await status(0), await status(1)]).toEqual([driving, driving]);
  });

  test.each([
    ['adds NEEDS_RESET', 'needs-reset'],
    ['writes 0', 'status-zero'],
  ])('a remote that %s to its status byte gets a new life', async (_, fault) => {
    await start(`--behaviour openamp --fault ${fault} --vdev-fault 0`);
    const endpoint = await opened();
    await endpoint.send(Buffer.from('the last of this life'));
    await endpoint.receiveData();
    await nextLife('status');
    await roundTrip(endpoint, 'after');
    expect([await status(0), await status(1)]).toEqual([driving, driving]);
  });

  test('a restart that nobody tells of shows in the table', async () => {
    await start('--behaviour openamp --ready none');
    const endpoint = await opened();
    await roundTrip(endpoint, 'before');
    await scene.board(core, 'silent-restart', core);
    await nextLife('status');
    await roundTrip(endpoint, 'after');
  });

  test('Reinitialize brings a remote that lives back on fresh rings', async () => {
    await start('--behaviour openamp');
    const endpoint = await opened();
    await roundTrip(endpoint, 'before');
    await client.call(remote, 'Remote', 'Reinitialize');
    await nextLife('reinitialize');
    await roundTrip(endpoint, 'after');
    expect(await scene.coreStatus(core)).toMatchObject({ lives: 1, state: 'running' });
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)('%s of the daemon disturbs no remote', async (end) => {
    await start('--behaviour openamp');
    await roundTrip(await opened(), 'before');
    await scene.endClients();
    await scene.daemon.restart(end);
    client = await scene.client();
    await roundTrip(await opened(), 'after');
    expect([await status(0), await status(1)]).toEqual([driving, driving]);
    expect(await get('Generation')).toBe(1);
    const { stdout } = await scene.daemon.rpmsgctl('trace');
    expect(stdout).not.toContain('reset by the host');
  });
});

describe.each(boards.slice(0, 1))('a table on $soc, $bus', (board) => {
  const { start, opened, roundTrip, get, status } = sceneOf(board);

  test('a broken table faults the remote, and LastError says where and why', async () => {
    await start('--behaviour openamp --fault bad-table');
    await until('faulted', async () => (await get('State')) === 'faulted');
    expect(await get('LastError')).toMatch(
      /resource table at 0x[0-9a-f]+ff000, entry 0, offset 0x10: its offset is 0xfffffff0, must /,
    );
  });

  test('a table that is not there holds an RPMsg-Lite remote up by nothing', async () => {
    await start('--behaviour rpmsg-lite');
    await roundTrip(await opened(), 'hello');
    await scene.daemon.process.said(/no resource table at 0x[0-9a-f]+ff000/);
    expect(await status(0)).toBe(driving); // as it would be
  });
});

describe.each(boards.slice(1, 2))('a trace on $soc, $bus', (board) => {
  const { core } = board;
  const { remote, start, opened, roundTrip } = sceneOf(board);

  test('the trace is read by ReadTrace and by rpmsgctl', async () => {
    await start('--behaviour rpmsg-lite --resource-table');
    await roundTrip(await opened(), 'hello');
    const read = async (offset: bigint) => {
      const args = [offset, 1000];
      return (await client.call(remote, 'Remote', 'ReadTrace', 'tu', args)) as [Buffer, bigint];
    };
    await until('both links up', async () => /vdev 1: up/.test((await read(0n))[0].toString()));
    const [text, next] = await read(0n);
    expect(text.toString()).toMatch(/^stack ready\n(vdev [01]: up\n){2}$/);
    expect(next).toBe(BigInt(text.length));
    expect((await read(next))[0]).toHaveLength(0);
    expect(await scene.daemon.rpmsgctl('trace')).toEqual({
      status: 0,
      stdout: text.toString(),
      stderr: '',
    });
    const json = await scene.daemon.rpmsgctl('--json', 'trace', core);
    expect(JSON.parse(json.stdout)).toEqual({ offset: 0, text: text.toString() });
    const unknown = await scene.daemon.rpmsgctl('trace', 'nobody');
    expect(unknown).toMatchObject({ status: 64 });
    expect(unknown.stderr).toContain(`there is no remote "nobody"; there is ${core}`);
  });

  test('rpmsgctl trace --follow shows the next life from its beginning', async () => {
    await start('--behaviour openamp');
    await roundTrip(await opened(), 'hello');
    const program = `${checkout}dist/rpmsgctl.js`;
    const args = [program, '--bus', scene.address, 'trace', '--follow'];
    const follower = new Child('rpmsgctl', process.execPath, args);
    try {
      await follower.said(/vdev 1: up/);
      await scene.signalFirmware('SIGKILL', core);
      await follower.said(/stack ready[\s\S]*stack ready/);
    } finally {
      expect(await follower.stop('SIGINT')).toEqual({ code: 0, signal: null });
    }
  });

  test('without a table there is no trace', async () => {
    await start('--behaviour rpmsg-lite', { resourceTable: false });
    const wanted = /^org\.rpmsg\.Error\.NotSupported: no resource table is configured/;
    const call = client.call(remote, 'Remote', 'ReadTrace', 'tu', [0n, 10]);
    expect(await errorOf(call)).toMatch(wanted);
    const { status: exit, stderr } = await scene.daemon.rpmsgctl('trace');
    expect(exit).toBe(1);
    expect(stderr).toMatch(/no resource table is configured for this remote/);
  });
});
