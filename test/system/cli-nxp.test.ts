// SPDX-License-Identifier: Apache-2.0
// rpmsgctl nxp against a real daemon and firmware that serves NXP's services: on a terminal, in a pipe,
// through a reset, and where the firmware does not answer as it should.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { firmwareCommand, nxpChannels } from '../../packaging/dev/scene.mjs';
import { Programs } from '../support/programs.ts';
import { channelPath, until } from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';

const channels = ['echo', ...nxpChannels];
const config = { remote: [{ name: 'cm40', platform: 'sim', soc: 'imx8qxp', vdevs: 2 }] };

/** On vdev 1 the services have the fault. */
function start(fault: string): Promise<SceneClient> {
  const options = `--app echo --nxp --resource-table --fault ${fault}:0 --vdev-fault 1`;
  return SceneClient.start({
    config,
    channels,
    resourceTable: true,
    firmware: ({ vdevs }) => firmwareCommand(vdevs, options),
  });
}

let scene: SceneClient;
const programs = new Programs(() => scene.address);

beforeAll(async () => {
  scene = await start('nxp-silent');
});
afterEach(async () => {
  await programs.stop();
});
afterAll(() => scene?.stop());

async function nxp(...args: string[]) {
  return await scene.daemon.rpmsgctl('nxp', ...args);
}

const quiet = { status: 0, stdout: '', stderr: '' };

describe('in a pipe', () => {
  test('a clock that was set shows that time from then on', async () => {
    expect(await nxp('rtc', 'set', '2023-11-14T22:13:20Z')).toEqual(quiet);
    const { status, stdout } = await nxp('rtc', 'get');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^2023-11-14T22:1[34]:\d\dZ\n$/);
  });

  test('a pin that was set reads so, and so does the one that it is wired to', async () => {
    expect(await nxp('gpio', 'set', '3', '4', '1')).toEqual(quiet);
    expect(await nxp('gpio', 'get', '3', '4')).toEqual({ ...quiet, stdout: '1\n' });
    expect(await nxp('gpio', 'get', '3', '5')).toEqual({ ...quiet, stdout: '1\n' });
  });

  test('an alarm has several values, each on a line with its name', async () => {
    expect(await nxp('rtc', 'set-alarm', '0xffffffff', 'on')).toEqual(quiet);
    const lines = 'time 2106-02-07T06:28:15Z\nenable on\npending off\n';
    expect(await nxp('rtc', 'get-alarm')).toEqual({ ...quiet, stdout: lines });
  });

  test('a heartbeat is sent, and not waited for', async () => {
    expect(await nxp('lifecycle', 'heartbeat')).toEqual(quiet);
    await until('the heartbeat', async () => {
      return (await scene.daemon.rpmsgctl('trace', 'cm40')).stdout.includes(
        'vdev 0: heartbeat 1\n',
      );
    });
    expect(await nxp('lifecycle', 'mode', 'vlps')).toEqual(quiet);
  });

  test('JSON has request, answer and channel', async () => {
    const { status, stdout } = await nxp('gpio', 'get', '3', '0x1f', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      service: 'gpio',
      command: 'get',
      channel: channelPath('cm40', 0, 'rpmsg-io-channel'),
      request: { port: 3, pin: 31 },
      answer: { port: 3, pin: 31, code: 0, value: 0 },
    });
  });

  test('an error of the remote has its name and status 1', async () => {
    expect(await nxp('gpio', 'get', '9', '4')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'rpmsgctl: cm40 answers gpio get: failed (error 1)\n',
    });
  });

  test('a service that nobody announces is named', async () => {
    expect((await nxp('sensor', 'counter', '1', '0', 'on')).stderr).toBe(
      'rpmsgctl: no remote announces rpmsg-sensor-channel; rpmsgctl list shows what there is\n',
    );
    expect((await nxp('rtc', 'get', '--vdev', '7')).stderr).toMatch(/on vdev7; /);
  });

  test('what waited on the shared endpoint is told of, and is no answer', async () => {
    expect(await nxp('gpio', 'input', '0', '1', 'rising')).toEqual(quiet);
    const client = await scene.client();
    const io = client.endpoint(channelPath('cm40', 0, 'rpmsg-io-channel'));
    const received = async () => Number((await io.stats())['rx_messages']);
    const before = await received();
    await io.send(Buffer.from('05010000010000000000000001000000', 'hex'));
    await until('answer and edge', async () => (await received()) === before + 2);
    expect(await nxp('gpio', 'get', '0', '1')).toEqual({
      status: 0,
      stdout: '1\n',
      stderr:
        'rpmsgctl: a message that had waited: gpio reply set: port 0, pin 0, ok\n' +
        'rpmsgctl: a message that had waited: gpio notification edge: port 0, pin 1\n',
    });
  });

  test('of many messages that waited the first ones are told of, and how many more there were', async () => {
    const client = await scene.client();
    const io = client.endpoint(channelPath('cm40', 0, 'rpmsg-io-channel'));
    const received = async () => Number((await io.stats())['rx_messages']);
    const before = await received();
    const request = Buffer.from('05010000020000000000000001000000', 'hex');
    for (let sent = 0; sent < 80; sent++) await io.send(request);
    await until('all answers', async () => (await received()) === before + 80);
    const { stdout, stderr } = await nxp('gpio', 'get', '0', '2');
    expect(stdout).toBe('0\n');
    const lines = stderr.trimEnd().split('\n');
    expect(lines.length).toBe(17);
    expect(lines.at(-1)).toBe('rpmsgctl: 64 more messages beside the answer');
  });

  test('others who listen do not lose what they hear', async () => {
    const client = await scene.client();
    const io = client.endpoint(channelPath('cm40', 0, 'rpmsg-io-channel'));
    const heard: string[] = [];
    await io.subscribe(({ data }) => heard.push(data.toString('hex')));
    expect(await nxp('gpio', 'get', '3', '9')).toEqual({ ...quiet, stdout: '0\n' });
    await until('the answer', () => heard.length > 0);
    expect(heard).toEqual(['0501000102000000000009030000']);
    await scene.endClients();
  });
});

describe('on a terminal', () => {
  test('a clock shows the time', async () => {
    const program = programs.onTerminal('nxp', 'rtc', 'get');
    expect((await program.ended).status).toBe(0);
    expect(String(program.stdout)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\r\n$/);
  });

  test('Ctrl-C ends the wait for an answer', async () => {
    const args = ['nxp', 'rtc', 'get', '--vdev', '1', '--timeout', '20s'];
    const sent = await sending('rpmsg-rtc-channel');
    const program = programs.onTerminal(...args);
    await sent();
    program.write('\x03');
    expect((await program.ended).status).not.toBe(0);
  });
});

/** What resolves when vdev 1 has been sent a message since. */
async function sending(channel: string): Promise<() => Promise<unknown>> {
  const client = await scene.client();
  const endpoint = client.endpoint(channelPath('cm40', 1, channel));
  const sent = async () => Number((await endpoint.stats())['tx_messages']);
  const before = await sent();
  return () => until('the request', async () => (await sent()) > before);
}

describe('where the firmware does not answer as it should', () => {
  test('silence is told when the time is up, and how long that was', async () => {
    expect(await nxp('rtc', 'get', '--vdev', '1', '--timeout', '50ms')).toEqual({
      status: 75,
      stdout: '',
      stderr: 'rpmsgctl: cm40 did not answer rtc get within 50 ms\n',
    });
  });

  test('a reset ends the wait, and the service is there after it', async () => {
    const args = ['nxp', 'gpio', 'set', '0', '0', '1', '--vdev', '1', '--timeout', '20s'];
    const sent = await sending('rpmsg-io-channel');
    const program = programs.start(...args);
    await sent();
    await scene.board('cm40', 'reset', 'cm40');
    expect((await program.ended).status).toBe(1);
    expect(program.stderr).toMatch(
      /^rpmsgctl: cm40 was reset \(.+\) before it answered; whether it did it is not known\n$/,
    );
    await scene.daemon.scene.waitForChannels(channels);
    expect(await nxp('gpio', 'get', '0', '0')).toEqual({ ...quiet, stdout: '0\n' });
  });

  test('another version is a mismatch that names both', async () => {
    const other = await start('nxp-version');
    const { status, stderr } = await other.daemon.rpmsgctl(
      'nxp',
      'gpio',
      'get',
      '0',
      '0',
      '--vdev',
      '1',
    );
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'rpmsgctl: version mismatch: rpmsgctl speaks version 1.0 of gpio, cm40 version 2.0\n',
    });
    await other.stop();
  });
});
