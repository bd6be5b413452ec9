// SPDX-License-Identifier: Apache-2.0
// rpmsgctl capture against a real daemon, and the dissector in TShark: what a person reads of
// ping-pong, announcements, a reset and NXP's packets; and that nothing waits for a capture.

import {
  chmodSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { firmwareAddress, firmwareCommand } from '../../packaging/dev/scene.mjs';
import { ClientStream } from '../support/client-stream.ts';
import { checkout, runProgram } from '../support/daemon-process.ts';
import { Interactive } from '../support/interactive.ts';
import { PlainBus } from '../support/plain-bus.ts';
import { Programs } from '../support/programs.ts';
import { channelPath, NO_ADDRESS, until } from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';

const demoChannel = 'rpmsg-openamp-demo-channel';
const echo = channelPath('cm40', 0, 'echo');
const gpioChannel = 'rpmsg-io-channel';
/** Head (GPIO 1.0, request), command, pin 3, port 1, value. */
const gpio = (command: number, value = 0) =>
  Buffer.from([5, 1, 0, 0, command, 0, 0, 0, 0, 0, 3, 1, value, 0, 0, 0]);

/** Of an Interface Statistics Block with two counters. */
const statisticsBytes = 52;

let scene: SceneClient;
let directory: string;
const programs = new Programs(() => scene.address);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'rpmsg-capture-'));
  const remote = { name: 'cm40', platform: 'sim', soc: 'imx8qxp', vdevs: 2 };
  scene = await SceneClient.start({
    config: { limits: { captures: 1 }, remote: [remote] },
    firmware: ({ vdevs }) => firmwareCommand(vdevs, '--nxp'),
  });
});
afterEach(async () => {
  await programs.stop();
  await scene.endClients();
});
afterAll(async () => {
  await scene?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** One that writes; the limit of one capture makes sure that the one before is over. */
async function capture(name: string, ...options: string[]) {
  const file = join(directory, name);
  const args = ['capture', file, ...options];
  const program = await until('a capture', async () => {
    const tried = programs.start(...args);
    const began = until('its file', () => existsSync(file) && statSync(file).size > 0);
    const ended = tried.ended.then(() => false);
    if (await Promise.race([began, ended])) return tried;
    began.catch(() => {});
    expect(tried.stderr).toContain('QuotaExceeded');
    return undefined;
  });
  return { file, program };
}

async function interrupt(program: Interactive): Promise<string> {
  program.process.kill('SIGINT');
  expect(await program.ended).toEqual({ status: 0, signal: null });
  return program.stderr;
}

/** What TShark prints of these fields, a packet a row; complains of nothing. */
async function tshark(file: string, fields: readonly string[], filter = ''): Promise<string[][]> {
  const script = `${checkout}packaging/wireshark/rpmsg.lua`;
  const args = ['-X', `lua_script:${script}`, '-r', file, '-T', 'fields', '-Y', filter];
  const { status, stdout, stderr } = await runProgram('tshark', [
    ...args,
    ...fields.flatMap((field) => ['-e', field]),
  ]);
  expect({ status, stderr: stderr.replace(/^Running as user.*\n/, '') }).toEqual({
    status: 0,
    stderr: '',
  });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
}

describe('a capture in TShark', () => {
  const inbound = '0x00000001';
  const outbound = '0x00000002';
  let file: string;

  beforeAll(async () => {
    const captured = await capture('dialogue.pcapng');
    ({ file } = captured);
    await scene.signalFirmware('SIGKILL');
    const client = await scene.client();
    const read = (path: string, name: string, property: string) =>
      client.bus.getProperty('org.rpmsg', path, `org.rpmsg.${name}`, property);
    await until('a new life', async () => {
      return (await read('/org/rpmsg/cm40', 'Remote', 'Generation')) === 2;
    });
    for (const name of [demoChannel, gpioChannel, 'echo']) {
      await until(name, async () => {
        const path = channelPath('cm40', 0, name);
        return (await read(path, 'Channel', 'RemoteAddress')) !== NO_ADDRESS;
      });
    }
    const demo = await client.open(channelPath('cm40', 0, demoChannel));
    await demo.send(Buffer.from('hello world!'));
    for (let round = 0; round < 3; round++) await demo.send(await demo.receiveData());
    // Once to the service, and once to somebody who says the same, whose channel tells nothing.
    const pins = await client.open(channelPath('cm40', 0, gpioChannel));
    for (const request of [gpio(1, 1), gpio(2)]) {
      await pins.send(request);
      await pins.receiveData();
    }
    const answering = await client.open(echo);
    await answering.send(gpio(2));
    expect(await answering.receiveData()).toEqual(gpio(2));
    const summary = await interrupt(captured.program);
    expect(summary).toMatch(/^rpmsgctl: \d+ messages captured, 0 left out\n$/);
  });

  test('has announcements with name, address and what they do', async () => {
    const fields = ['frame.interface_name', 'rpmsg_ns.name', 'rpmsg_ns.addr', 'rpmsg_ns.flags'];
    const rows = await tshark(file, fields, 'rpmsg_ns');
    for (const vdev of ['cm40/vdev0', 'cm40/vdev1']) {
      const addr = `0x${firmwareAddress('echo').toString(16).padStart(8, '0')}`;
      expect(rows).toContainEqual([vdev, 'echo', addr, '0x00000000']);
    }
    const names = rows.map(([, name]) => name);
    expect(names).toContain('rpmsg-name-of-thirty-two-bytes!!');
  });

  test('has the dialogue of ping-pong with header, direction and the name of its channel', async () => {
    const fields = ['rpmsg.channel', 'frame.packet_flags_direction', 'rpmsg.len', 'rpmsg.data'];
    const rows = await tshark(file, fields, `rpmsg.channel == "${demoChannel}"`);
    const hello = Buffer.from('hello world!').toString('hex');
    expect(rows[0]).toEqual([demoChannel, outbound, '12', hello]);
    expect(rows.length).toBeGreaterThanOrEqual(7);
    for (let at = 1; at + 1 < rows.length; at += 2) {
      expect(rows[at]?.[1]).toBe(inbound);
      expect(rows[at + 1]?.[1]).toBe(outbound);
      expect(rows[at + 1]?.slice(2)).toEqual(rows[at]?.slice(2));
    }
    const [columns] = await tshark(file, ['_ws.col.Source', '_ws.col.Info'], 'rpmsg.len == 12');
    expect(columns?.[0]).toMatch(/^host:\d+$/);
    expect(columns?.[1]).toMatch(new RegExp(`^${demoChannel} \\d+ → \\d+, 12 bytes$`));
  });

  test("has NXP's packets with head, names and what they carry", async () => {
    const numbers = ['category', 'major', 'type', 'command', 'gpio.pin', 'gpio.port'];
    const names = ['command_name', 'gpio.value', 'gpio.result'];
    const fields = [...numbers, ...names].map((name) => `rpmsg_nxp.${name}`);
    const all = ['rpmsg.channel', 'frame.packet_flags_direction', ...fields];
    const rows = await tshark(file, all, 'rpmsg_nxp');
    const of = (type: number, command: number) => ['5', '1', `${type}`, `${command}`, '3', '1'];
    expect(rows).toEqual([
      [gpioChannel, outbound, ...of(0, 1), 'set', '1', ''],
      [gpioChannel, inbound, ...of(1, 1), 'set', '0', '0'],
      [gpioChannel, outbound, ...of(0, 2), 'get', '', ''],
      [gpioChannel, inbound, ...of(1, 2), 'get', '1', '0'],
      ['echo', outbound, ...of(0, 2), 'get', '', ''],
      ['echo', inbound, ...of(0, 2), 'get', '', ''],
    ]);
    const infos = await tshark(file, ['_ws.col.Info'], 'rpmsg_nxp');
    expect(String(infos[2])).toMatch(/16 bytes: GPIO request: get, pin 3, port 1$/);
    expect(String(infos[3])).toMatch(/GPIO reply: get, pin 3, port 1, result ok, value 1$/);
  });

  test('has the reset as a comment of the remote, before the announcements of the new life', async () => {
    const fields = ['frame.number', 'frame.interface_name', 'rpmsg.event'];
    const rows = await tshark(file, fields, 'rpmsg.event contains "reset:"');
    expect(rows.map(([, ...words]) => words)).toEqual([
      ['cm40', 'reset: rebooted, generation 2 begins'],
    ]);
    const [first] = await tshark(file, ['frame.number'], 'rpmsg_ns');
    expect(Number(rows[0]?.[0])).toBeLessThan(Number(first?.[0]));
  });

  test('has malformed nothing', async () => {
    expect(
      await tshark(file, ['frame.number'], '_ws.expert.group == "Malformed" || _ws.lua'),
    ).toEqual([]);
  });
});

describe('a client of a capture', () => {
  test('that does not read loses records with a count, and no message waits or is lost', async () => {
    const { file, program } = await capture('stopped.pcapng', '--vdev', '0');
    program.process.kill('SIGSTOP');
    const messages = 6_000;
    const atOnce = 100;
    const client = await scene.streamClient();
    const stream = await ClientStream.acquire(await client.open(echo));
    for (let sent = 0; sent < messages; sent += atOnce) {
      for (let number = sent; number < sent + atOnce; number++) stream.send(numbered(number));
      await stream.received(sent + atOnce);
    }
    expect(stream.packets.map((packet) => packet.readUInt32LE(0))).toEqual([
      ...new Array(messages).keys(),
    ]);
    expect(stream.overruns).toEqual([]);
    program.process.kill('SIGCONT');
    await untilRead(file);
    stream.send(numbered(messages));
    await stream.received(messages + 1);
    stream.close();
    const summary = await interrupt(program);
    const [captured = 0, left = 0] = (summary.match(/\d+/g) ?? []).map(Number);
    expect(left).toBeGreaterThan(0);
    // What the pipe had no room for and everything else: each message twice, and no other.
    expect(captured + left).toBe(2 * (messages + 1));
    const rows = await tshark(file, ['frame.comment'], 'frame.comment contains "not captured"');
    const told = rows.map(([comment = '']) => /^(\d+) before this w/.exec(comment)?.[1]);
    expect(told.reduce((sum, lost) => sum + Number(lost), 0)).toBe(left);
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'has a whole file after the daemon got %s, and status 1',
    async (signal) => {
      const { file, program } = await capture(`${signal}.pcapng`);
      const client = await scene.client();
      const endpoint = await client.open(echo);
      for (let round = 0; round < 50; round++) await endpoint.send(Buffer.alloc(480));
      await scene.daemon.restart(signal);
      expect(await program.ended).toEqual({ status: 1, signal: null });
      expect(program.stderr).toMatch(/the daemon has ended/);
      expect((await tshark(file, ['frame.number'])).length).toBeGreaterThan(1);
    },
  );

  test('gets what it asked for, until it has enough', async () => {
    const options = [
      '--remote',
      'cm40',
      '--vdev',
      '1',
      '--snaplen',
      '20',
      '--count',
      '3',
      '--json',
    ];
    const { file, program } = await capture('few.pcapng', ...options);
    const client = await scene.client();
    for (const vdev of [0, 1]) {
      const endpoint = await client.open(channelPath('cm40', vdev, 'echo'));
      for (let round = 0; round < 3; round++) await endpoint.send(Buffer.alloc(100));
    }
    expect(await program.ended).toEqual({ status: 0, signal: null });
    expect(JSON.parse(String(program.stdout))).toEqual({ file, messages: 3, dropped: 0 });
    const fields = ['frame.interface_name', 'frame.cap_len', 'frame.len'];
    expect(await tshark(file, fields, 'rpmsg.len')).toEqual(
      new Array(3).fill(['cm40/vdev1', '20', '116']),
    );
  });

  test('may close its output when it has seen enough', async () => {
    const program = programs.start('capture', '-');
    await until('the section', () => program.stdout.length >= 4);
    expect(program.stdout.readUInt32LE(0)).toBe(0x0a0d0d0a);
    program.process.stdout.destroy();
    const client = await scene.client();
    const endpoint = await client.open(echo);
    await until('its end', async () => {
      await endpoint.send(Buffer.from('x'));
      return program.process.exitCode !== null;
    });
    expect(program.process.exitCode).toBe(0);
  });

  test('is told of a limit, of a bus without descriptors, and of a file that cannot be', async () => {
    const { program } = await capture('first.pcapng');
    const run = async (address: string, ...args: string[]) => {
      const tried = programs.keep(Interactive.rpmsgctl(address, 'capture', ...args));
      return { ...(await tried.ended), err: tried.stderr };
    };
    const second = await run(scene.address, join(directory, 'second.pcapng'));
    expect(second).toMatchObject({ status: 1 });
    expect(second.err).toMatch(/limit captures = 1/);
    const plain = await PlainBus.start(scene.daemon.bus.socket);
    const third = await run(plain.address, join(directory, 'third.pcapng'));
    plain.stop();
    expect(third).toMatchObject({ status: 1 });
    expect(third.err).toMatch(/this bus passes no descriptors/);
    await interrupt(program);
    const nowhere = join(directory, 'no', 'folder');
    const fourth = await until('a place', async () => {
      const tried = await run(scene.address, nowhere);
      return tried.err.includes('QuotaExceeded') ? undefined : tried;
    });
    expect(fourth).toMatchObject({ status: 1 });
    expect(fourth.err).toContain(nowhere);
  });

  test('who is neither root nor of group rpmsg-admin is refused', async () => {
    chmodSync(dirname(scene.daemon.bus.socket), 0o755);
    chmodSync(scene.daemon.bus.socket, 0o666);
    const user = ['--reuid=65534', '--regid=65534', '--clear-groups', 'busctl'];
    const call = ['call', 'org.rpmsg', '/org/rpmsg', 'org.rpmsg.Manager', 'Capture', 'a{sv}', '0'];
    const address = `--address=${scene.address}`;
    const refused = await runProgram('setpriv', [...user, address, ...call]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('Access denied');
    const allowed = await runProgram('busctl', [address, ...call]);
    expect(allowed).toMatchObject({ status: 0, stderr: '' });
    expect(allowed.stdout).toMatch(/^h \d+/);
  });
});

function numbered(number: number): Buffer {
  const message = Buffer.alloc(480);
  message.writeUInt32LE(number);
  return message;
}

/** Until the last that was kept is in the file: statistics, since something was not. */
async function untilRead(file: string): Promise<void> {
  await until('statistics', () => {
    const { size } = statSync(file);
    const type = Buffer.alloc(4);
    const descriptor = openSync(file, 'r');
    const bytes =
      size < statisticsBytes ? 0 : readSync(descriptor, type, 0, 4, size - statisticsBytes);
    closeSync(descriptor);
    return bytes === 4 && type.readUInt32LE(0) === 5;
  });
}
