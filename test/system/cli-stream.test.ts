// SPDX-License-Identifier: Apache-2.0
// rpmsgctl open and stream against a real daemon: in pipes, on a terminal, over a bus that passes no
// descriptors, through resets of the remote and the end of the endpoint.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { firmwareAddress, Scene } from '../../packaging/dev/scene.mjs';
import { startBus } from '../support/bus-process.ts';
import { Interactive } from '../support/interactive.ts';
import { PlainBus } from '../support/plain-bus.ts';
import { Programs } from '../support/programs.ts';
import { channelPath, until } from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';
import { managerCommand, ServiceManager } from '../support/service-manager.ts';

const echo = ['cm40/vdev0', 'echo'] as const;
const quick = ['--wait-ms', '300'] as const;
const lossless = { name: 'cm40', platform: 'sim', soc: 'imx8qxp', vdevs: 1, lossless: [0] };

let scene: SceneClient;
let plain: PlainBus;
let tcp: PlainBus;
const programs = new Programs(() => scene.address);
const { start } = programs;

beforeAll(async () => {
  scene = await SceneClient.start({ config: { remote: [lossless] } });
  plain = await PlainBus.start(scene.daemon.bus.socket);
  tcp = await PlainBus.startTcp(scene.daemon.bus.socket);
});
afterEach(async () => {
  await programs.stop();
});
afterAll(async () => {
  plain?.stop();
  tcp?.stop();
  await scene?.stop();
});

/** Runs with this input to the end. */
async function run(input: string | Buffer, ...args: string[]) {
  const program = start(...args);
  program.write(input);
  const { status } = await program.end();
  return { status, out: program.stdout, err: program.stderr };
}

const streaming = (program: Interactive) => {
  program.write('ready?\n');
  return program.said(/ready\?/);
};

describe('stream in pipes', () => {
  test('sends each line and prints each answer on one', async () => {
    const { status, out, err } = await run(
      'hello\nworld\n',
      'stream',
      ...echo,
      ...quick,
      '--lines',
    );
    expect({ status, out: String(out), err }).toEqual({
      status: 0,
      out: 'hello\nworld\n',
      err: '',
    });
  });

  test('passes any bytes both ways as they are', async () => {
    const bytes = randomBytes(496 * 500 + 7);
    const { status, out, err } = await run(bytes, 'stream', ...echo, ...quick);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out.equals(bytes)).toBe(true);
  });

  test('cuts its input where it is told to', async () => {
    const args = ['--packet-bytes', '3', '--hex'];
    const { out } = await run('abcdefgh', 'stream', ...echo, ...quick, ...args);
    expect(String(out)).toBe('616263\n646566\n6768\n');
  });

  test('prints JSON as list does', async () => {
    const { out } = await run('hi', 'stream', ...echo, ...quick, '--json');
    expect(JSON.parse(String(out))).toEqual({ data: [0x68, 0x69] });
  });

  test('names the lines that are no messages, sends the others, and exits 1', async () => {
    const { status, out, err } = await run('zz\n01\n', 'stream', ...echo, ...quick, '--hex');
    expect({ status, out: String(out) }).toEqual({ status: 1, out: '01\n' });
    expect(err).toBe(
      'rpmsgctl: line 1: it is not pairs of hexadecimal digits\nrpmsgctl: 1 line was not sent\n',
    );
  });

  test('delivers all of its input before it exits, also when it does not read', async () => {
    const client = await scene.client();
    const sink = client.endpoint(channelPath('cm40', 0, 'sink'));
    const before = await sink.stats();
    const bytes = Buffer.alloc(496 * 3000);
    const { status, err } = await run(bytes, 'stream', sink.path, '--mode', 'write');
    expect({ status, err }).toEqual({ status: 0, err: '' });
    const after = await sink.stats();
    expect(Number(after['tx_messages']) - Number(before['tx_messages'])).toBe(3000);
  });

  test('reads without an input until it is interrupted', async () => {
    const program = start('stream', channelPath('cm40', 0, 'echo'), '--mode', 'read', '--lines');
    const client = await scene.client();
    // Who only reads leaves sending to others.
    const shared = client.endpoint(channelPath('cm40', 0, 'echo'));
    await until('a stream', async () => (await shared.get('Streaming')) === true);
    await shared.send(Buffer.from('from elsewhere'));
    await program.said(/from elsewhere/);
    program.process.kill('SIGINT');
    expect(await program.ended).toEqual({ status: 0, signal: null });
  });

  test('frames messages with their header if asked to', async () => {
    const word = Buffer.alloc(4);
    word.writeUInt32LE(firmwareAddress('echo'));
    const peer = word.toString('hex');
    const header = `00000000${peer}0000000002000000`;
    const args = ['--framing', 'header', '--hex'];
    const { out } = await run(`${header}6869\n`, 'stream', ...echo, ...quick, ...args);
    expect(String(out)).toMatch(new RegExp(`^${peer}[0-9a-f]{16}020000006869\\n$`));
  });

  test('ends quietly when nobody reads what it prints', async () => {
    const program = start('stream', ...echo, '--lines');
    await streaming(program);
    program.process.stdout.destroy();
    program.write('one\n');
    expect(await program.ended).toEqual({ status: 0, signal: null });
    expect(program.stderr).toBe('');
  });

  test('takes an endpoint away from nobody: a second one is told that it is busy', async () => {
    const path = channelPath('cm40', 0, 'echo');
    const first = start('stream', path, '--lines');
    await streaming(first);
    const second = start('stream', path, '--lines');
    expect((await second.end()).status).toBe(1);
    expect(second.stderr).toContain('org.rpmsg.Error.Busy');
    first.write('still here\n');
    await first.said(/still here/);
  });
});

describe('stream on a terminal', () => {
  test('sends what is typed, and shows answers without obeying them', async () => {
    const program = programs.onTerminal('stream', ...echo);
    program.write('typed\n');
    // The terminal's own echo, then the remote's.
    await program.said(/typed[\s\S]*typed/);
    program.write('\x16\x1b[31mred\n');
    await program.said(/\\x1b\[31mred/);
    program.write('\x03');
    expect((await program.ended).status).toBe(0);
  });

  test('ends with the terminal’s end of file', async () => {
    const program = programs.onTerminal('stream', ...echo, ...quick);
    program.write('last words\n');
    await program.said(/last words[\s\S]*last words/);
    program.write('\x04');
    expect((await program.ended).status).toBe(0);
  });
});

describe('stream through what happens', () => {
  test('tells of a reset of the remote and goes on after it', async () => {
    const program = start('stream', ...echo, '--lines');
    await streaming(program);
    await scene.board('cm40', 'reset', 'cm40');
    await program.said(
      /^rpmsgctl: cm40 is reset \(.+\): nothing is sent until it is back$/m,
      'stderr',
    );
    await program.said(/^rpmsgctl: cm40 is back$/m, 'stderr');
    program.write('after it\n');
    await program.said(/after it/);
    await scene.daemon.scene.waitForChannels();
  });

  test('exits 1 when the endpoint is closed', async () => {
    const program = start('stream', ...echo, '--lines');
    await streaming(program);
    const client = await scene.client();
    const [path = ''] = (await client.objects()).filter((one) => /\/endpoint_\d+$/.test(one));
    await client.endpoint(path).close();
    expect(await program.ended).toEqual({ status: 1, signal: null });
    expect(program.stderr).toBe('rpmsgctl: the endpoint was closed\n');
  });
});

test('stream does not notice that the daemon is killed and started again', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'rpmsg-manager-'));
  const setup = { config: { remote: [lossless] }, daemonLauncher: managerCommand(directory) };
  const managed = await SceneClient.start(setup);
  const program = programs.keep(
    Interactive.rpmsgctl(managed.address, 'stream', ...echo, ...quick, '--lines'),
  );
  await streaming(program);
  const manager = new ServiceManager(managed.daemon.process);
  await manager.kill(1);
  program.write('between\n');
  await manager.ready(2);
  program.write('afterwards\n');
  expect((await program.end()).status).toBe(0);
  expect(String(program.stdout)).toBe('ready?\nbetween\nafterwards\n');
  expect(program.stderr).toBe('');
  await managed.stop();
  rmSync(directory, { recursive: true });
});

describe('over a bus that passes no descriptors', () => {
  const note =
    'rpmsgctl: this bus passes no descriptors: using Subscribe and SendBatch, which is slower\n';

  test.each([
    ['behind a proxy', () => plain],
    ['behind TCP', () => tcp],
  ])('%s stream does the same by Subscribe and SendBatch', async (_where, way) => {
    const bytes = randomBytes(496 * 300 + 7);
    const program = programs.keep(Interactive.rpmsgctl(way().address, 'stream', ...echo, ...quick));
    program.write(bytes);
    expect((await program.end()).status).toBe(0);
    expect(program.stderr).toBe(note);
    expect(program.stdout.equals(bytes)).toBe(true);
  });

  test('so it does when the way of the daemon to the bus is such', async () => {
    const bus = await startBus('dbus-daemon system');
    const way = await PlainBus.start(bus.socket);
    const daemonArgs = ['--bus', way.address];
    const config = { remote: [lossless] };
    const other = await Scene.start({ config, busAddress: bus.address, daemonArgs });
    await other.waitForChannels();
    const program = programs.keep(Interactive.rpmsgctl(bus.address, 'stream', ...echo, ...quick));
    program.write('abc');
    expect((await program.end()).status).toBe(0);
    expect(program.stderr).toBe(note);
    expect(String(program.stdout)).toBe('abc');
    expect(await other.stop()).toMatchObject({ code: 0 });
    way.stop();
    await bus.stop();
  });

  test('what only a socket can do is refused by name', async () => {
    const args = ['stream', ...echo, '--framing', 'header'];
    const program = programs.keep(Interactive.rpmsgctl(plain.address, ...args));
    expect((await program.end()).status).toBe(1);
    expect(program.stderr).toBe(
      `${note}rpmsgctl: --framing header needs a bus that passes descriptors\n`,
    );
  });

  test('a reset and the end of the endpoint are told, too', async () => {
    const program = programs.keep(
      Interactive.rpmsgctl(plain.address, 'stream', ...echo, '--lines'),
    );
    await streaming(program);
    await scene.board('cm40', 'reset', 'cm40');
    await program.said(/^rpmsgctl: cm40 is back$/m, 'stderr');
    program.write('after it\n');
    await program.said(/after it/);
    await scene.daemon.scene.waitForChannels();
  });
});

describe('open', () => {
  test('keeps an endpoint until its input ends', async () => {
    const program = start('open', ...echo, '--rx-queue', '5');
    await program.said(/^\/org\/rpmsg\/cm40\/vdev0\/endpoint_\d+\n$/);
    const path = String(program.stdout).trim();
    expect((await scene.daemon.rpmsgctl('list')).stdout).toContain(path.split('/').at(-1));
    expect((await program.end()).status).toBe(0);
    await until('its end', async () => {
      return !(await scene.daemon.rpmsgctl('list')).stdout.includes(path.split('/').at(-1) ?? '');
    });
  });

  test('ends with Ctrl-C, too', async () => {
    const program = start('open', ...echo, '--json');
    await program.said(/^\{"endpoint":"\/org\/rpmsg\/[^"]*"\}\n$/);
    program.process.kill('SIGINT');
    expect(await program.ended).toEqual({ status: 0, signal: null });
  });

  test('makes one that stays, which anyone may use', async () => {
    const { status, out } = await run('', 'open', ...echo, '--persistent');
    expect(status).toBe(0);
    const path = String(out).trim();
    const answer = await run('hello\n', 'stream', path, ...quick, '--lines');
    expect(String(answer.out)).toBe('hello\n');
    const client = await scene.client();
    await client.endpoint(path).close();
  });
});

test.each([
  [['stream', 'cm40/vdev0', 'ecko'], 'cm40/vdev0 has no channel "ecko"; did you mean "echo"?', 1],
  [['stream', 'cm41/vdev0', 'echo'], 'the daemon has no remote "cm41"; did you mean "cm40"?', 1],
  [['open', 'cm40/vdev5', 'echo'], 'cm40 has no vdev5; did you mean "vdev0"?', 1],
  [
    ['stream', '/org/rpmsg/cm40'],
    'there is no endpoint, but another object, at /org/rpmsg/cm40',
    1,
  ],
  [['stream', 'cm40', 'echo'], '"cm40" is no REMOTE/VDEV, as cm40/vdev0 is one', 64],
  [['open', 'cm40/vdev0'], 'a name is missing after cm40/vdev0, as in cm40/vdev0 echo', 64],
])('%j says what is wrong with it', async (args, message, status) => {
  const result = await run('', ...args);
  expect(result.err).toContain(`rpmsgctl: ${message}`);
  expect(result.status).toBe(status);
});
