// SPDX-License-Identifier: Apache-2.0
// The examples as their README says to build and run them: each finds a channel, sends, receives and
// streams, through a reset of the remote and the death of the daemon.

import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { firmwareAddress } from '../../packaging/dev/scene.mjs';
import { checkout, runProgram } from '../support/daemon-process.ts';
import { Interactive } from '../support/interactive.ts';
import { channelPath } from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';
import { managerCommand, ServiceManager } from '../support/service-manager.ts';

const examples = join(checkout, 'packaging/examples');
const readme = readFileSync(join(examples, 'README.md'), 'utf8');
const remote = { name: 'cm40', platform: 'sim', soc: 'imx8qxp', vdevs: 1, lossless: [0] };
const directory = mkdtempSync(join(tmpdir(), 'rpmsg-examples-'));
const messageBytes = 496;

let scene: SceneClient;
let manager: ServiceManager;
let lives = 1;
let env: NodeJS.ProcessEnv;
const programs: Interactive[] = [];

beforeAll(async () => {
  const config = { remote: [remote] };
  scene = await SceneClient.start({ config, daemonLauncher: managerCommand(directory) });
  manager = new ServiceManager(scene.daemon.process);
  prepareFolder();
  const path = `${join(directory, 'bin')}:${process.env['PATH']}`;
  env = { PATH: path, DBUS_SYSTEM_BUS_ADDRESS: scene.address };
});
afterEach(async () => {
  for (const program of programs.splice(0)) await program.stop();
});
afterAll(async () => {
  await scene?.stop();
  rmSync(directory, { recursive: true });
});

/** The examples, rpmsgctl as if it were installed, and what `npm install` of the README makes. */
function prepareFolder(): void {
  cpSync(examples, directory, { recursive: true });
  mkdirSync(join(directory, 'bin'));
  symlinkSync(join(checkout, 'dist/rpmsgctl.js'), join(directory, 'bin/rpmsgctl'));
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }\n');
  mkdirSync(join(directory, 'node_modules'));
  symlinkSync(checkout, join(directory, 'node_modules/rpmsgd'));
  for (const name of ['typescript', '@types', '.bin']) {
    symlinkSync(join(checkout, 'node_modules', name), join(directory, 'node_modules', name));
  }
}

/** The commands that the README's section ends with. */
function commandsOf(language: string): string[] {
  const [, section = ''] =
    new RegExp(`^## ${language}\\n([\\s\\S]*?)(?=^## |$(?![\\s\\S]))`, 'm').exec(readme) ?? [];
  const blocks = [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)];
  return blocks.at(-1)?.[1]?.trim().split('\n') ?? [];
}

/** Builds it and starts it, in the folder of the examples. */
async function start(language: string): Promise<Interactive> {
  const commands = commandsOf(language);
  const run = commands.pop();
  for (const command of commands) {
    const script = `cd '${directory}' && ${command}`;
    expect(await runProgram('sh', ['-c', script], env)).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
  }
  const program = new Interactive('sh', ['-c', `cd '${directory}' && exec ${run}`], env);
  programs.push(program);
  return program;
}

/** Has the program send so many lines, as long as messages can be; resolves once all are back. */
async function exchange(program: Interactive, from: number, count: number): Promise<string> {
  const lines = Array.from({ length: count }, (_, index) => {
    return `${String(from + index).padEnd(messageBytes, '.')}\n`;
  });
  program.write(lines.join(''));
  await program.said(new RegExp(`^${from + count - 1}\\.+\\n`, 'm'));
  return lines.join('');
}

describe.each(['C', 'Python', 'Shell', 'TypeScript'])('the example in %s', (language) => {
  test('gets back what it sends, whatever happens in between', async () => {
    const program = await start(language);
    await program.said(/^streaming.*\n/m);
    const [head = ''] = /^[\s\S]*streaming.*\n/.exec(String(program.stdout)) ?? [];
    expect(head.split('\n').slice(0, 2)).toEqual([
      `channel ${channelPath('cm40', 0, 'echo')}`,
      `received hello from ${firmwareAddress('echo')}`,
    ]);
    let expected = head + (await exchange(program, 1, 300));
    await scene.board('cm40', 'reset', 'cm40');
    await program.said(/is (being )?reset.*\n[\s\S]*is back\n/, 'stderr');
    expected += await exchange(program, 1001, 50);
    await manager.kill(lives++);
    expected += await exchange(program, 2001, 50);
    await manager.ready(lives);
    program.write('a last line without an end');
    expect(await program.end()).toEqual({ status: 0, signal: null });
    expected += 'a last line without an end\n';
    expect(String(program.stdout)).toBe(expected);
    expect(program.stderr.trim().split('\n').length).toBe(2);
    await scene.daemon.scene.waitForChannels();
  });

  test('says so if nobody has announced the channel', async () => {
    const run = commandsOf(language).at(-1)?.replace('echo', 'nowhere');
    const { status, stderr } = await runProgram('sh', ['-c', `cd '${directory}' && ${run}`], env);
    expect(status).toBe(1);
    expect(stderr).toContain('no M core has announced nowhere');
  });
});
