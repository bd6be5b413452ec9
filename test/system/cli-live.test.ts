// SPDX-License-Identifier: Apache-2.0
// rpmsgctl's live verbs against a real daemon: monitor, top, listen, wait, ping and the dialogues, in
// pipes and on a terminal, through resets of the remote and restarts of the daemon.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Interactive } from '../support/interactive.ts';
import { Programs } from '../support/programs.ts';
import { channelPath, type RpmsgClient, until } from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';

const remote = { name: 'cm40', platform: 'sim', soc: 'imx8qxp', vdevs: 1 };
const quickly = ['--interval', '20ms'] as const;

let scene: SceneClient;
/** One for all tests: what it owns on the bus outlives the daemon. */
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

/** Ctrl-C, as a shell in a pipe has it; its end. */
async function interrupt(program: Interactive) {
  program.process.kill('SIGINT');
  return await program.ended;
}

const success = { status: 0, signal: null };

async function echo(text: string): Promise<void> {
  await client.endpoint(channelPath('cm40', 0, 'echo')).send(Buffer.from(text));
}

/** Resolves when a program that listens to the echo has been heard from. */
async function listening(program: Interactive): Promise<void> {
  await until('a subscription', async () => {
    await echo('ready?');
    return program.stdout.length > 0;
  });
}

async function reset(): Promise<void> {
  await scene.board('cm40', 'reset', 'cm40');
  await scene.daemon.scene.waitForChannels();
}

const rows = (program: Interactive) =>
  String(program.stdout)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('all of them go on through a reset of the remote, and say that there was one', async () => {
  const monitor = start('monitor', '--json', '--messages');
  const listen = start('listen', 'echo', '--lines');
  const top = start('top', 'cm40', '--json', '--interval', '100ms');
  const ping = start('ping', ...quickly);
  const wait = start('wait', 'cm40', '--state', 'down');
  await monitor.said(/watching \d+ objects/, 'stderr');
  await listening(listen);
  await ping.said(/seq=1 time=/);
  await top.said(/rx_messages_per_s/);
  await scene.board('cm40', 'reset', 'cm40');
  // What lasts a moment is not missed: nobody looks now and then.
  expect(await wait.ended).toEqual(success);
  const told = /cm40 is reset \(.+\)/;
  for (const program of [listen, top, ping, wait]) await program.said(told, 'stderr');
  await scene.daemon.scene.waitForChannels();
  for (const program of [listen, top, ping]) {
    await program.said(/cm40 is back/, 'stderr');
  }
  await echo('after it');
  await listen.said(/^after it$/m);
  await monitor.said(/"event":"announced".*"name":"echo"/);
  await monitor.said(/"event":"message".*"data":\[97,102,116,101,114,32,105,116\]/);
  const before = String(ping.stdout).length;
  await until('more answers', () => /time=/.test(String(ping.stdout).slice(before)));
  for (const program of [monitor, listen, top, ping]) {
    expect(await interrupt(program)).toEqual(success);
  }
  const events = rows(monitor).map(({ event }) => event);
  const order = ['state', 'reset', 'withdrawn', 'ready', 'announced'];
  expect(order.map((event) => events.indexOf(event)).every((at) => at >= 0)).toBe(true);
  expect(monitor.stderr).toMatch(/^\{"notice":"\d+ events"\}\n$/m);
  expect(listen.stderr).toMatch(/^rpmsgctl: \d+ messages, \d+ bytes\n$/m);
  expect(top.stderr).toMatch(/\d+ messages received, \d+ sent, \d+ dropped/);
  expect(String(ping.stdout)).toMatch(
    /--- cm40\/vdev0 "echo" ping statistics ---\n\d+ messages sent, \d+ received, \d+% lost\nrtt min\/avg\/max\/mdev = [\d./]+ ms\n( *\d.*#*\n)+$/,
  );
});

test('they wait for a daemon that is stopped, and go on with the next one', async () => {
  const monitor = start('monitor');
  const listen = start('listen', 'echo', '--lines');
  const top = start('top', '--interval', '100ms');
  const ping = start('ping', ...quickly);
  await monitor.said(/watching/, 'stderr');
  await listening(listen);
  await ping.said(/seq=1 time=/);
  await top.said(/^cm40\/vdev0 +up +\d/m);
  let wait = start('wait', 'cm40', '--state', 'gone');
  await scene.daemon.restart('SIGTERM', async () => {
    expect(await wait.ended).toEqual(success);
    wait = start('wait', 'echo');
    await wait.said(/rpmsgd is not running on this bus: waiting for it/, 'stderr');
    const gone = /^rpmsgctl: rpmsgd is gone: waiting for it to come back$/m;
    for (const program of [listen, top, ping]) await program.said(gone, 'stderr');
    await monitor.said(/rpmsgd {2}is gone$/m);
    await ping.said(/lost: rpmsgd is gone$/m);
  });
  expect(await wait.ended).toEqual(success);
  const marks = [monitor, top, ping].map((program) => String(program.stdout).length);
  const since = (program: Interactive, index: number) => {
    return String(program.stdout).slice(marks[index]);
  };
  await echo('to the next one');
  await listen.said(/^to the next one$/m);
  await monitor.said(/rpmsgd {2}is there$/m);
  await until('rates', () => /^cm40\/vdev0 +up/m.test(since(top, 1)));
  await until('answers', () => /time=/.test(since(ping, 2)));
  for (const program of [monitor, listen, top, ping]) {
    expect(await interrupt(program)).toEqual(success);
  }
  // Nobody was told twice.
  expect(String(listen.stdout).match(/to the next one/g)).toHaveLength(1);
});

test('listen prints once what a daemon that was killed sends again', async () => {
  const listen = start('listen', 'echo', '--lines');
  await listening(listen);
  for (let round = 0; round < 3; round++) {
    await echo(`before ${round}`);
    await scene.daemon.restart('SIGKILL');
    await scene.daemon.scene.waitForChannels();
    await echo(`after ${round}`);
    await listen.said(new RegExp(`^after ${round}$`, 'm'));
  }
  expect(await interrupt(listen)).toEqual(success);
  const said = String(listen.stdout)
    .split('\n')
    .filter((line) => /^(before|after)/.test(line));
  expect(said).toEqual([0, 1, 2].flatMap((round) => [`before ${round}`, `after ${round}`]));
});

test('listen subscribes again where the daemon came back without its state', async () => {
  const listen = start('listen', 'echo', '--lines');
  await listening(listen);
  const { directory } = scene.daemon.scene;
  await scene.daemon.restart('SIGTERM', async () => {
    await rm(join(directory, 'objects.jsonl'));
  });
  // Only now is there a channel again, with numbers that begin anew.
  await reset();
  await until('a subscription', async () => {
    await echo('anew');
    return String(listen.stdout).includes('anew');
  });
  expect(await interrupt(listen)).toEqual(success);
});

describe('on a terminal', () => {
  test('monitor has its colours, and ends with Ctrl-C', async () => {
    const program = onTerminal('monitor');
    await program.said(/watching/);
    await reset();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
    await program.said(/\u001b\[33m {2}cm40 {2}reset noticed/);
    program.write('\x03');
    expect(await program.ended).toEqual(success);
    expect(String(program.stdout)).toMatch(/\d+ events/);
  });

  test('top draws one table again and again', async () => {
    const program = onTerminal('top', '--interval', '100ms', '--endpoints');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
    await program.said(/(\u001b\[H\u001b\[2J[\s\S]*"echo"[\s\S]*){2}/);
    program.write('\x03');
    expect(await program.ended).toEqual(success);
  });

  test('listen shows messages without obeying them', async () => {
    const program = onTerminal('listen', 'echo');
    await listening(program);
    await echo('\u001b[31mred\u009b2J');
    await program.said(/\\x1b\[31mred\\x9b2J/);
    program.write('\x03');
    expect(await program.ended).toEqual(success);
  });

  test('wait says what it waits for', async () => {
    const program = onTerminal('wait', 'cm40/vdev0', 'later');
    await program.said(/waiting until cm40\/vdev0 "later" is ready/);
    program.write('\x03');
    expect(await program.ended).toEqual(success);
  });
});

describe('ends', () => {
  test('listen ends after so many messages', async () => {
    const program = start('listen', 'echo', '--count', '2', '--json');
    await listening(program);
    await echo('second');
    expect(await program.ended).toEqual(success);
    expect(rows(program)).toHaveLength(2);
  });

  test('listen exits 1 when its endpoint is closed', async () => {
    const { stdout } = await run('open', 'echo', '--persistent');
    const path = stdout.trim();
    const program = start('listen', path);
    await until('a subscription', async () => {
      await client.endpoint(path).send(Buffer.from('x'));
      return program.stdout.length > 0;
    });
    await client.endpoint(path).close();
    expect((await program.ended).status).toBe(1);
    expect(program.stderr).toContain('rpmsgctl: the endpoint was closed\n');
  });

  test('wait exits 75 when time is over, and says how things are', async () => {
    const over = await run('wait', 'cm40', '--state', 'faulted', '--timeout', '50ms', '--json');
    expect(over.status).toBe(75);
    expect(JSON.parse(over.stderr)).toEqual({
      error: 'time was over before "cm40" is faulted: cm40 is attached',
      status: 75,
    });
    const absent = await run('wait', 'nothing', '--timeout', '50ms');
    expect(absent.stderr).toContain('there is no such object');
  });

  test('top ends after so many tables', async () => {
    const { status, stdout } = await run('top', '--interval', '100ms', '--count', '2');
    expect(status).toBe(0);
    expect(stdout.match(/^OBJECT +STATE/gm)).toHaveLength(2);
    expect(stdout).toMatch(/^cm40\/vdev0 +up +.* \d+ +\d+\/256$/m);
    const absent = await run('top', 'cm41');
    expect(absent.stderr).toContain('the daemon has no remote "cm41"');
    expect(absent.status).toBe(1);
  });

  test('they end quietly when nobody reads what they print', async () => {
    const program = start('monitor', '--messages');
    await program.said(/watching/, 'stderr');
    program.process.stdout.destroy();
    await echo('one');
    await until('its end', async () => {
      await echo('another');
      return program.process.exitCode !== null;
    });
    expect(await program.ended).toEqual(success);
  });
});

describe('dialogues', () => {
  test('ping exits 1 when nothing comes back', async () => {
    const args = ['sink', '--count', '2', ...quickly, '--timeout', '40ms'];
    const { status, stdout } = await run('ping', ...args);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^seq=0 lost: no answer within 40 ms$/m);
    expect(stdout).toContain('2 messages sent, 0 received, 100% lost');
  });

  test('ping as JSON has each round trip, and the statistics last', async () => {
    const { stdout } = await run('ping', '--count', '20', '--interval', '0', '--json');
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(21);
    expect(lines[19]).toMatchObject({ seq: 19, time_ms: expect.any(Number) });
    expect(lines[20]).toMatchObject({ sent: 20, received: 20, lost: 0, altered: 0 });
    const counts = (lines[20] as { histogram: { count: number }[] }).histogram;
    expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(20);
  });

  test('pingpong and client-sample are held to their end', async () => {
    const pingpong = await run('pingpong');
    expect(pingpong.status).toBe(0);
    expect(pingpong.stdout).toMatch(
      /^"hello world!" 0 2 \.\.\. 102 "goodbye!" \(52 answers in [\d.]+ ms\)\n$/,
    );
    const sample = await run('client-sample', 'cm40/vdev0', '--count', '7', '--verbose');
    expect(sample.stdout.match(/^remote {2}12 bytes: "hello world!"$/gm)).toHaveLength(7);
    expect(sample.stdout).toMatch(/"hello world!" came back 7 times in [\d.]+ ms\n$/);
  });

  test('a reset in the middle of one is an error that says so', async () => {
    const before = new Set(await client.objects());
    const program = start('pingpong', 'sink', '--timeout', '20s', '--json');
    const path = await until('its endpoint', async () => {
      return (await client.objects()).find((one) => !before.has(one));
    });
    await until('its greeting', async () => {
      return (await client.endpoint(path).stats())['tx_messages'] === 1n;
    });
    await reset();
    expect((await program.ended).status).toBe(1);
    expect(JSON.parse(program.stderr)).toEqual({
      error: expect.stringMatching(/^cm40 was reset \(.+\) in the middle of the dialogue$/),
      status: 1,
    });
  });

  test('an answer that is another one is an error that shows it', async () => {
    const { status, stderr } = await run('pingpong', 'echo');
    expect(stderr).toBe(
      'rpmsgctl: the remote was to send a counter of 4 bytes, and sent 12 bytes: "hello world!"\n',
    );
    expect(status).toBe(1);
  });
});

test('reinitialize begins a new life, or says why there is none', async () => {
  // Its stack begins anew, and nobody is told.
  await scene.signalFirmware('SIGUSR2', 'cm40');
  const { status, stdout, stderr } = await run('reinitialize', 'cm40');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^cm40 is in generation \d+\n$/);
  await scene.daemon.scene.waitForChannels();
  const absent = await run('reinitialize', 'cm41');
  expect(absent.stderr).toContain('did you mean "cm40"?');
  expect(absent.status).toBe(1);
});
