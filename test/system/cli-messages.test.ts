// SPDX-License-Identifier: Apache-2.0
// rpmsgctl's verbs for single messages and for looking, against a real daemon: status, send, receive,
// call, in pipes, on a terminal, over ssh, and with a reset in the middle.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { firmwareAddress } from '../../packaging/dev/scene.mjs';
import { checkout, runProgram } from '../support/daemon-process.ts';
import { Interactive } from '../support/interactive.ts';
import { Programs } from '../support/programs.ts';
import { channelPath, type RpmsgClient, until } from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';

const gateway = { vdev: 0, name: 'gateway', src: 30, dst: firmwareAddress('echo') };
const remote = {
  name: 'cm40',
  platform: 'sim',
  soc: 'imx8qxp',
  vdevs: 2,
  endpoint: [gateway],
};

let scene: SceneClient;
let client: RpmsgClient;
const programs = new Programs(() => scene.address);
const { start, onTerminal } = programs;

beforeAll(async () => {
  scene = await SceneClient.start({ config: { remote: [remote] } });
  client = await scene.client();
});
afterEach(async () => {
  await programs.stop();
});
afterAll(() => scene?.stop());

const run = (...args: string[]) => scene.daemon.rpmsgctl(...args);

const done = { status: 0, stdout: '', stderr: '' };

describe('send and receive', () => {
  test('a message by its place and name comes back as it went, byte by byte', async () => {
    expect(await run('send', 'cm40/vdev1', 'echo', 'u32:7', 'hex:ff')).toEqual(done);
    const { stdout } = await run('receive', 'cm40/vdev1', 'echo', '--hex');
    expect(stdout).toBe('07000000ff\n');
    expect(await run('send', 'cm40/vdev1', 'echo', 'two', 'words')).toEqual(done);
    expect((await run('receive', 'cm40/vdev1', 'echo')).stdout).toBe('two words');
  });

  test('options, a path and a name that only one has name an endpoint, too', async () => {
    await run('send', 'echo', 'one', '--remote', 'cm40', '--vdev', '1');
    await run('send', channelPath('cm40', 1, 'echo'), 'two');
    await run('send', 'echo', 'three', '--vdev', '1', '--try');
    const got = await run('receive', '--vdev', '1', 'echo', '--count', '3', '--lines');
    expect(got.stdout).toBe('one\ntwo\nthree\n');
    await run('send', 'gateway', 'static');
    expect((await run('receive', 'gateway')).stdout).toBe('static');
  });

  test('what is in a file or comes from standard input is a message', async () => {
    const program = start('send', 'gateway', '--file', '-');
    program.write('from a pipe');
    expect((await program.end()).status).toBe(0);
    expect((await run('receive', 'gateway')).stdout).toBe('from a pipe');
  });

  test('an address of the remote may be given', async () => {
    const to = ['--to', String(firmwareAddress('echo'))];
    expect(await run('send', 'cm40/vdev0', 'sink', 'astray', ...to)).toEqual(done);
    expect((await run('receive', 'cm40/vdev0', 'sink')).stdout).toBe('astray');
  });

  test('JSON has the five fields of a message', async () => {
    const sent = await run('send', 'gateway', 'hi', '--json');
    expect(JSON.parse(sent.stdout)).toMatchObject({ bytes: 2 });
    const { stdout } = await run('receive', 'gateway', '--json');
    expect(JSON.parse(stdout)).toEqual({
      seq: expect.stringMatching(/^\d+$/),
      src: firmwareAddress('echo'),
      generation: expect.any(Number),
      time_ns: expect.stringMatching(/^\d+$/),
      data: [104, 105],
    });
  });

  test('receive says with status 75 that time was over, and how many came', async () => {
    await run('send', 'gateway', 'only one');
    const args = ['receive', 'gateway', '--count', '2', '--timeout', '50ms', '--json'];
    const { status, stdout, stderr } = await run(...args);
    expect(stdout.split('\n')).toHaveLength(2);
    expect(JSON.parse(stderr)).toEqual({ error: '1 of 2 messages came in time', status: 75 });
    expect(status).toBe(75);
  });

  test('receive waits for a message on a terminal, and does not obey it', async () => {
    const program = onTerminal('receive', 'gateway');
    await run('send', 'gateway', 'hex:1b', 'text:[31mred');
    await program.said(/\\x1b\[31mred/);
    expect((await program.ended).status).toBe(0);
  });

  test('receive waits through a reset of the remote', async () => {
    const program = start('receive', 'gateway', '--lines');
    await scene.board('cm40', 'reset', 'cm40');
    await scene.daemon.scene.waitForChannels();
    await run('send', 'gateway', 'after it');
    await program.said(/^after it\n$/);
    expect((await program.ended).status).toBe(0);
  });

  test('a message that is too long is refused by the daemon, with both sizes', async () => {
    const { status, stderr } = await run('send', 'gateway', 'x'.repeat(497));
    expect(stderr).toMatch(/497.*496.*\(org\.rpmsg\.Error\.MessageTooLong\)/);
    expect(status).toBe(1);
  });
});

describe('call', () => {
  test('prints the answer to what it sent, and leaves others their messages', async () => {
    await run('send', 'cm40/vdev0', 'echo', 'for another');
    expect((await run('call', 'cm40/vdev0', 'echo', 'question')).stdout).toBe('question');
    expect((await run('receive', 'cm40/vdev0', 'echo')).stdout).toBe('for another');
  });

  test('on an endpoint that is there takes nothing old for the answer', async () => {
    await run('send', 'gateway', 'old');
    const { stdout, stderr } = await run('call', 'gateway', 'new', '--lines');
    expect(stdout).toBe('new\n');
    expect(stderr).toBe('rpmsgctl: 1 message was waiting, and dropped\n');
  });

  test('exits 75 when no answer comes in time', async () => {
    const args = ['call', 'cm40/vdev0', 'sink', 'quiet', '--timeout', '50ms'];
    const { status, stderr } = await run(...args);
    expect(stderr).toBe('rpmsgctl: no answer came within 50 ms\n');
    expect(status).toBe(75);
  });

  test('exits 1 when the remote is reset before it answers', async () => {
    const before = new Set(await client.objects());
    const program = start('call', 'cm40/vdev0', 'sink', 'quiet', '--timeout', '20s');
    const path = await until('its endpoint', async () => {
      return (await client.objects()).find((one) => !before.has(one));
    });
    await until('its question', async () => {
      return (await client.endpoint(path).stats())['tx_messages'] === 1n;
    });
    await scene.board('cm40', 'reset', 'cm40');
    expect((await program.ended).status).toBe(1);
    expect(program.stderr).toMatch(/^rpmsgctl: no answer: cm40 was reset \(.+\)\n$/);
    await scene.daemon.scene.waitForChannels();
  });
});

describe('status', () => {
  test('of the daemon tells version, remotes, features and limits', async () => {
    const { status, stdout } = await run('status');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^● rpmsgd\n +Version: \d/);
    expect(stdout).toMatch(/^ +Remotes: cm40 attached$/m);
    expect(stdout).toMatch(/^ +Limits: endpoints_per_uid \d+$/m);
  });

  test('of a remote, a vdev, a channel and an endpoint tells how it is and what it did', async () => {
    const cm40 = (await run('status', 'cm40')).stdout;
    expect(cm40).toMatch(/^● cm40, remote\n +State: attached\n +Generation: \d+, \d+ resets?\n/);
    expect(cm40).toMatch(/^ +Last reset: \d{4}-.*Z, rebooted$/m);
    const vdev = (await run('status', 'cm40/vdev1')).stdout;
    expect(vdev).toMatch(/^ +Status: 0x07 \(ACKNOWLEDGE, DRIVER, DRIVER_OK\)$/m);
    expect(vdev).toMatch(/^ +Sent: \d+ messages, .* kicks$/m);
    const echo = (await run('status', 'cm40/vdev1', 'echo')).stdout;
    expect(echo).toMatch(/^ +State: announced\n +Name: "echo"$/m);
    const own = (await run('status', 'gateway')).stdout;
    expect(own).toMatch(/^ +State: connected$/m);
    expect(own).toMatch(/^ +Addresses: 30 here, \d+ there$/m);
  });

  test('tells what waits to be received, until it is', async () => {
    await run('send', 'cm40/vdev1', 'echo', 'one');
    await run('send', 'cm40/vdev1', 'echo', 'two');
    const queued = async (...object: string[]) => {
      return /^ +Queued: (\d+) messages? to be/m.exec((await run('status', ...object)).stdout)?.[1];
    };
    await until('both', async () => (await queued('cm40/vdev1', 'echo')) === '2');
    expect(await queued('cm40/vdev1')).toBe('2');
    await run('receive', 'cm40/vdev1', 'echo', '--count', '2');
    expect(await queued('cm40/vdev1', 'echo')).toBe('0');
  });

  test('of an endpoint whose queue is full tells what is there, and what was lost', async () => {
    const args = ['open', 'cm40/vdev0', 'echo', '--persistent', '--rx-queue', '3'];
    const path = (await run(...args)).stdout.trim();
    const endpoint = client.endpoint(path);
    for (let i = 0; i < 5; i++) await endpoint.send(Buffer.from(`number ${i}`));
    const stats = await until('all of them', async () => {
      const now = await endpoint.stats();
      return now['rx_messages'] === 5n && now;
    });
    expect(stats).toMatchObject({ rx_queued: 3n, rx_drops: 2n });
    const got = await run('receive', path, '--count', '3', '--lines');
    expect(got.stdout).toBe('number 2\nnumber 3\nnumber 4\n');
    expect(got.stderr).toBe('rpmsgctl: 2 messages were lost: the queue was full\n');
    expect(await endpoint.stats()).toMatchObject({ rx_queued: 0n });
    await endpoint.close();
  });

  test('as JSON has kind, path and every property, counters too', async () => {
    const { stdout } = await run('status', 'cm40/vdev0', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'vdev',
      path: '/org/rpmsg/cm40/vdev0',
      interfaces: { Device: { State: 'up', Stats: { rx_faults: '0' } } },
    });
  });

  test('has colours on a terminal, and none where NO_COLOR says so', async () => {
    const program = onTerminal('status', 'cm40');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
    await program.said(/State: \u001b\[32mattached\u001b\[0m/);
    const plain = programs.keep(
      Interactive.rpmsgctlWithoutColours(scene.address, 'status', 'cm40'),
    );
    await plain.said(/State: attached/);
    expect((await run('status', 'cm40')).stdout).not.toContain('\u001b');
  });
});

test.each([
  [
    ['list'],
    / {4}channel_r\S*… +channel "rpmsg-name-of-thirty-two-bytes!!", remote address \d+\r\n/,
  ],
  [['send', 'gateway', 'x'], /^$/],
  [['call', 'cm40/vdev0', 'echo', 'hex:07'], /^\\x07\r\n$/],
  [['ping', 'cm40/vdev0', '--count', '1'], /1 messages sent, 1 received, 0% lost/],
  [['pingpong', 'cm40/vdev1'], /^"hello world!" 0 2 \.\.\. 102 "goodbye!"/],
  [['client-sample', 'cm40/vdev1'], /^"hello world!" came back 100 times/],
  [['wait', 'cm40'], /^rpmsgctl: waiting until "cm40" is ready\r\n$/],
])('%j does on a terminal what it does in a pipe', async (args, said) => {
  const program = onTerminal(...args);
  expect((await program.ended).status).toBe(0);
  expect(String(program.stdout)).toMatch(said);
});

describe('what is named', () => {
  test.each([
    [['send', 'echo', 'x'], 'which "echo"? there are cm40/vdev0, cm40/vdev1', 64],
    [['call', 'ecko', 'x'], 'the daemon has no channel "ecko"; did you mean "echo"?', 1],
    [['status', 'cm41'], 'the daemon has no remote "cm41"; did you mean "cm40"?', 1],
    [['send', '/org/rpmsg/cm40', 'x'], 'there is no endpoint, but another object, at', 1],
    [['receive', '--remote', 'cm41', 'echo'], 'the daemon has no remote "cm41"', 1],
    [['receive', 'cm40/vdev7', 'echo'], 'cm40 has no vdev7', 1],
  ])('%j is told with what may be meant', async (args, message, expected) => {
    const { status, stderr } = await run(...args);
    expect(stderr).toContain(`rpmsgctl: ${message}`);
    expect(status).toBe(expected);
  });
});

describe('over ssh', () => {
  let folder = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'rpmsg-ssh-'));
    const ssh = join(folder, 'ssh');
    const bridge = `exec systemd-stdio-bridge --bus-path='${scene.address}'`;
    writeFileSync(ssh, `#!/bin/sh\necho "$@" >>'${folder}/asked'\n[ "$3" = away ] || ${bridge}\n`);
    chmodSync(ssh, 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const env = () => ({ PATH: `${folder}:${process.env['PATH']}` });
  const program = `${checkout}dist/rpmsgctl.js`;
  const ssh = (...args: string[]) => runProgram(process.execPath, [program, ...args], env());

  test('--host reaches the bus of another machine as systemctl does', async () => {
    const there = await ssh('--host', 'me@board:2222', 'call', 'cm40/vdev0', 'echo', 'far away');
    expect(there).toEqual({ status: 0, stdout: 'far away', stderr: '' });
    const asked = await runProgram('cat', [join(folder, 'asked')]);
    expect(asked.stdout).toBe('-xT -p 2222 -- me@board systemd-stdio-bridge\n');
  });

  test('stream does without descriptors there', async () => {
    const args = [program, '--host', 'board', 'stream', 'cm40/vdev0', 'echo', '--wait-ms', '200'];
    const stream = programs.keep(new Interactive(process.execPath, args, env()));
    stream.write('abc');
    expect((await stream.end()).status).toBe(0);
    expect(String(stream.stdout)).toBe('abc');
    expect(stream.stderr).toMatch(/^rpmsgctl: this bus passes no descriptors/);
  });

  test('Ctrl-C, which ends ssh too, ends a live verb as ever', async () => {
    const words = [process.execPath, program, '--host', 'board', 'top', '--interval', '100ms'];
    const top = programs.keep(
      new Interactive('script', ['-qefc', `exec ${words.join(' ')}`, '/dev/null'], env()),
    );
    await top.said(/cm40\/vdev0[\s\S]*cm40\/vdev0/);
    top.write('\x03');
    expect((await top.ended).status).toBe(0);
    expect(String(top.stdout)).toMatch(/\d+ messages received, \d+ sent/);
  });

  test('a host that does not answer is unavailable, and named', async () => {
    const { status, stderr } = await ssh('--host', 'away', 'list');
    expect(stderr).toMatch(/^rpmsgctl: cannot use the bus of away: /);
    expect(status).toBe(69);
  });
});
