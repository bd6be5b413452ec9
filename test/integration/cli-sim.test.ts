// SPDX-License-Identifier: Apache-2.0
// `rpmsgctl sim` against the real rpmsg-soc: verbs, answers, errors and exit statuses.

import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CliStatus } from '../../src/cli/errors.ts';
import { simVerbs } from '../../src/cli/sim.ts';
import { runRpmsgctl as run } from '../support/rpmsgctl-run.ts';
import { type Board, startBoard } from '../support/soc-board.ts';

const directory = mkdtempSync(join(tmpdir(), 'rpmsgd-sim-'));
let board: Board;

beforeAll(async () => {
  board = await startBoard('--start-delay-ms', '0');
  await board.soc.said(/^cm40 firmware attached/m);
});

afterAll(async () => {
  await board.stop();
  rmSync(directory, { recursive: true, force: true });
});

const simulate = (...words: string[]) => run('sim', '--socket', board.socket, ...words);

/** Resolves when the firmware attached `count` times in all. */
function lives(count: number): Promise<void> {
  return board.soc.said(new RegExp(`(cm40 firmware attached[^]*){${count}}`));
}

it('shows the board for a person and as JSON', async () => {
  const { status, out } = await simulate('status');
  expect(status).toBe(CliStatus.ok);
  const lines = out.split('\n');
  expect(lines[0]).toBe(`imx8qxp, process ${board.soc.pid}, ${board.socket}`);
  expect(lines[1]).toMatch(
    /^cm40 {2}running, firmware \d+, no host, partition 2, lives 1, deaths 0, last reset por$/,
  );
  expect(lines[2]).toBe('scu   no client, host partition 1, calls 0');
  expect(JSON.parse((await simulate('status', '--json')).out)).toMatchObject({
    ok: true,
    soc: 'imx8qxp',
    cores: [{ name: 'cm40', state: 'running' }],
  });
});

it('finds the control socket by its own path and by the environment', async () => {
  expect((await run('sim', '--socket', `${board.socket}.control`, 'status')).status).toBe(0);
  process.env['RPMSG_SOC_SOCKET'] = board.socket;
  try {
    expect((await run('sim', 'status')).status).toBe(0);
  } finally {
    delete process.env['RPMSG_SOC_SOCKET'];
  }
});

it('resets, kills and restarts a core and prints nothing about it', async () => {
  const done = { status: CliStatus.ok, out: '', err: '' };
  expect(await simulate('reset', 'cm40', '0')).toEqual(done);
  await lives(2);
  expect(await simulate('kill', 'cm40')).toEqual(done);
  await lives(3);
  expect(await simulate('silent-restart', 'cm40')).toEqual(done);
  await lives(4);
  expect(await simulate('lockup', 'cm40', '0')).toEqual(done);
  await lives(5);
  expect(JSON.parse((await simulate('reset', 'cm40', '--json')).out)).toEqual({ ok: true });
  await lives(6);
});

it('knows every verb that the board knows', async () => {
  const [, names = ''] = /there are: (.*)$/m.exec((await askRaw('explode')).error) ?? [];
  expect(simVerbs.map(({ name }) => name)).toEqual(names.split(', '));
});

it('hands on what the board says when it says no', async () => {
  const { status, err } = await simulate('reset', 'cm41');
  expect(status).toBe(CliStatus.failure);
  expect(err).toBe('rpmsgctl: there is no core "cm41" on this imx8qxp; it has: cm40\n');
});

it('refuses what cannot be right before it asks', async () => {
  expect(await simulate('rest', 'cm40')).toMatchObject({
    status: CliStatus.usage,
    err: 'rpmsgctl: sim has no verb "rest"; did you mean reset?; see rpmsgctl sim --help\n',
  });
  expect((await simulate()).err).toContain('a verb of sim is missing');
  expect((await simulate('hold', 'cm40\nkill cm40')).status).toBe(CliStatus.usage);
  expect((await run('list', '--socket', board.socket)).err).toContain('--socket is for sim');
});

it('says where it looked for a board, and what to do', async () => {
  const { status, err } = await run('sim', '--socket', join(directory, 'none'), 'status');
  expect(status).toBe(CliStatus.unavailable);
  expect(err).toBe(
    `rpmsgctl: ${join(directory, 'none.control')}: no simulated SoC listens there: start ` +
      'rpmsg-soc, or name its socket with --socket\n',
  );
});

it('gives up on a board that hangs up without an answer', async () => {
  const path = join(directory, 'mute');
  const server = createServer((client) => client.end()).listen(path);
  const { status, err } = await run('sim', '--socket', path, 'status');
  server.close();
  expect(status).toBe(CliStatus.unavailable);
  expect(err).toContain('hung up without an answer');
});

/** The board's answer to a verb that rpmsgctl itself would not send. */
async function askRaw(request: string): Promise<{ error: string }> {
  const client = connect(`${board.socket}.control`);
  client.end(`${request}\n`);
  let text = '';
  for await (const chunk of client) text += String(chunk);
  return JSON.parse(text) as { error: string };
}
