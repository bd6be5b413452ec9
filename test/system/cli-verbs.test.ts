// SPDX-License-Identifier: Apache-2.0
// Every verb of rpmsgctl against a real daemon, in a pipe and on a terminal, with a reset of the remote
// between the two.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { firmwareCommand } from '../../packaging/dev/scene.mjs';
import { verbs } from '../../src/cli/verbs.ts';
import type { Interactive } from '../support/interactive.ts';
import { Programs } from '../support/programs.ts';
import { channelPath, type RpmsgClient, until } from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';

interface Use {
  readonly words: readonly string[];
  /** What it prints in the end, or before it is interrupted. */
  readonly says: RegExp;
  /** It goes on until Ctrl-C. */
  readonly isLive?: boolean;
  /** What it reads from standard input. */
  readonly input?: string;
  /** What it needs, and cannot make itself. */
  readonly prepare?: () => Promise<unknown>;
}

const folder = mkdtempSync(join(tmpdir(), 'rpmsg-verbs-'));
const remote = { name: 'cm40', platform: 'sim', soc: 'imx8qxp', vdevs: 1 };
const echo = ['cm40/vdev0', 'echo'];
const captured = join(folder, 'some.pcapng');

let scene: SceneClient;
let client: RpmsgClient;
const programs = new Programs(() => scene.address);

beforeAll(async () => {
  scene = await SceneClient.start({
    config: { remote: [remote] },
    firmware: ({ vdevs }) => firmwareCommand(vdevs, '--behaviour openamp --nxp'),
    resourceTable: true,
  });
  client = await scene.client();
});
afterEach(() => programs.stop());
afterAll(async () => {
  await scene?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const sendEcho = (text: string) =>
  client.endpoint(channelPath('cm40', 0, 'echo')).send(Buffer.from(text));

async function openAndClose(): Promise<void> {
  const endpoint = await client.open(channelPath('cm40', 0, 'echo'));
  await endpoint.close();
}

const uses: Readonly<Record<string, Use>> = {
  list: { words: [], says: /cm40 +remote/ },
  status: { words: ['cm40'], says: /Generation: \d+/ },
  monitor: { words: [], says: /endpoint_\d/, isLive: true, prepare: () => openAndClose() },
  top: { words: ['--interval', '100ms'], says: /cm40/, isLive: true },
  wait: { words: [...echo, '--state', 'connected'], says: /^(rpmsgctl: waiting until .*\r\n)?$/ },
  send: { words: [...echo, 'sent'], says: /^$/ },
  receive: { words: echo, says: /received|sent/, prepare: () => sendEcho('received') },
  listen: { words: echo, says: /heard/, isLive: true, prepare: () => sendEcho('heard') },
  call: { words: [...echo, 'called'], says: /called/ },
  open: { words: echo, says: /endpoint_\d+/, isLive: true },
  stream: {
    words: [...echo, '--wait-ms', '500'],
    says: /streamed/,
    input: 'streamed\n',
  },
  ping: { words: ['--count', '3', '--interval', '1ms'], says: /3 messages sent, 3 received/ },
  pingpong: { words: [], says: /goodbye!/ },
  'client-sample': { words: ['--count', '5'], says: /5/ },
  trace: { words: ['cm40'], says: /\S/ },
  capture: { words: [captured, '--duration', '2'], says: /\d+ messages captured, \d+ left out/ },
  nxp: { words: ['rtc', 'get'], says: /\d\d:\d\d/ },
  reinitialize: { words: ['cm40'], says: /cm40 is in generation \d+/ },
  doctor: { words: [], says: /daemon/ },
  sim: { words: ['status'], says: /cm40 +running/ },
  version: { words: [], says: /rpmsgctl \d/ },
};

/** The words of a verb; those of the simulated SoC, which is asked for itself. */
function wordsOf(name: string): string[] {
  const [configured] = scene.daemon.scene.config['remote'] as { socket: string }[];
  const socket = name === 'sim' ? ['--socket', configured?.socket ?? ''] : [];
  return [name, ...(uses[name]?.words ?? []), ...socket];
}

async function isReady(): Promise<void> {
  const shared = client.endpoint(channelPath('cm40', 0, 'echo'));
  await until('the channel', async () => (await shared.get('Connected')) === true);
}

async function nextLife(): Promise<void> {
  const generation = async () =>
    Number(await client.get('/org/rpmsg/cm40', 'Remote', 'Generation'));
  const before = await generation();
  await scene.board('cm40', 'reset', 'cm40');
  await until('the next life', async () => (await generation()) > before);
}

/** Runs a verb until it has said `says`, and to its end. */
async function run(
  program: Interactive,
  name: string,
  says: RegExp,
  how: 'pipe' | 'terminal',
): Promise<Interactive> {
  const { isLive, prepare, input } = uses[name] as Use;
  const hasSaid = () => says.test(String(program.stdout));
  if (isLive === true) {
    // Heard only by who is subscribed by now.
    await until(`${name} says ${says}`, async () => {
      if (!hasSaid()) await prepare?.();
      return hasSaid();
    });
    if (how === 'terminal') program.write('\x03');
    else program.process.kill('SIGINT');
  } else if (input !== undefined) {
    program.write(input);
    if (how === 'pipe') program.process.stdin.end();
    await program.said(says);
    if (how === 'terminal') program.write('\x04');
  }
  if (how === 'pipe') program.process.stdin.end();
  const { status } = await program.ended;
  expect({ status, said: `${program.stdout}${program.stderr}` }).toEqual({
    status: 0,
    said: expect.stringMatching(says),
  });
  return program;
}

/** One document, or one a line. Throws when it is neither. */
function parsed(text: string): unknown[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  }
}

test('every verb is here', () => {
  const names = verbs.filter(({ name }) => name !== 'complete').map(({ name }) => name);
  expect(Object.keys(uses).sort()).toEqual(names.sort());
});

describe.each(Object.keys(uses))('%s', (name) => {
  const { says, isLive, prepare } = uses[name] as Use;

  async function ready(): Promise<void> {
    await isReady();
    if (isLive !== true) await prepare?.();
  }

  test('in a pipe, then, after a reset of the remote, on a terminal', async () => {
    await ready();
    await run(programs.start(...wordsOf(name)), name, says, 'pipe');
    await nextLife();
    await ready();
    const onTerminal = programs.onTerminal(...wordsOf(name));
    const { stdout } = await run(onTerminal, name, says, 'terminal');
    if (name !== 'capture') return;
    expect(String(stdout)).toContain('captured so far');
    expect(readFileSync(captured).readUInt32LE(0)).toBe(0x0a0d0d0a);
  });

  test('as JSON', async () => {
    await ready();
    const program = programs.start('--json', ...wordsOf(name));
    const { stdout } = await run(program, name, /[[{"]/, 'pipe');
    expect(parsed(String(stdout)).length).toBeGreaterThan(0);
  });
});
