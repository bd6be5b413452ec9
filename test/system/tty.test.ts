// SPDX-License-Identifier: Apache-2.0
// The terminal of a channel as people use it: by socat and picocom through the link, over resets of the
// remote and every kind of end of the daemon; and who is kept out.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { firmwareCommand } from '../../packaging/dev/scene.mjs';
import { Interactive } from '../support/interactive.ts';
import { lives } from '../support/lives.ts';
import { channelPath, errorOf, type RpmsgClient, until } from '../support/rpmsg-client.ts';
import type { SceneClient } from '../support/scene-client.ts';
import { managerCommand, ServiceManager } from '../support/service-manager.ts';
import { type StreamRow, startStreamScene, streamRows } from '../support/stream-scene.ts';

const name = 'rpmsg-virtual-tty-channel';
const escaped = 'rpmsg_2dvirtual_2dtty_2dchannel';
/** What NXP's driver sends at most. */
const messageBytes = 256;
const deaths = 3;

let scene: SceneClient;
let client: RpmsgClient;
let directory: string | undefined;
let programs: Interactive[] = [];

afterEach(async () => {
  for (const program of programs) program.process.kill('SIGKILL');
  programs = [];
  await scene?.stop();
  if (directory !== undefined) rmSync(directory, { recursive: true });
  directory = undefined;
});

type Config = Record<string, unknown>;

async function start(
  row: StreamRow,
  config: Config = {},
  setup: Parameters<typeof startStreamScene>[2] = {},
): Promise<void> {
  const all = { firmwareOptions: `--app ${name},echo`, channels: [name, 'echo'], ...setup };
  scene = await startStreamScene(row, config, all);
  client = await scene.client();
}

function workDirectory(): string {
  directory = mkdtempSync(join(tmpdir(), 'rpmsg-tty-'));
  return directory;
}

async function startManaged(row: StreamRow, restartDelayMs = 0): Promise<ServiceManager> {
  const daemonLauncher = managerCommand(workDirectory(), { restartDelayMs });
  await start(row, {}, { daemonLauncher });
  return new ServiceManager(scene.daemon.process);
}

const [row] = streamRows;
const channel = channelPath(row.core, 0, name);

async function linkOf(path: string = channel): Promise<string> {
  return await until(`a terminal of ${path}`, async () => {
    const link = await client.get(path, 'Channel', 'Tty');
    return link === '' ? undefined : String(link);
  });
}

function run(command: string, ...args: string[]): Interactive {
  const program = new Interactive(command, args);
  programs.push(program);
  return program;
}

/** Its input goes into the terminal, and what comes out of that is its output. */
function socat(link: string): Interactive {
  return run('socat', '-b', '1024', '-', `OPEN:${link},noctty`);
}

async function talk(program: Interactive, text: string): Promise<void> {
  program.write(text);
  await program.said(new RegExp(text));
}

async function received(program: Interactive, bytes: number): Promise<Buffer> {
  await until(`${bytes} bytes`, () => program.stdout.length >= bytes);
  return program.stdout;
}

describe.each(streamRows)('on $bus, $soc', (each) => {
  const path = channelPath(each.core, 0, name);

  test('what is written comes back once, and the terminal adds nothing to it', async () => {
    await start(each);
    const link = await linkOf(path);
    expect(link).toBe(join(scene.daemon.scene.directory, 'tty', `${each.core}-vdev0-${escaped}`));
    const program = socat(link);
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    program.write(all);
    expect(await received(program, 256)).toEqual(all);
    await talk(program, 'and no echo of its own');
    expect(program.stdout.length).toBe(256 + 'and no echo of its own'.length);
  });

  test('the next life of the remote answers through the terminal that is open', async () => {
    await start(each);
    const program = socat(await linkOf(path));
    await talk(program, 'before');
    await scene.board(each.core, 'kill', each.core);
    await until('the next life', async () => {
      const generation = await client.get(`/org/rpmsg/${each.core}`, 'Remote', 'Generation');
      return generation === 2 && (await client.get(path, 'Endpoint', 'Connected')) === true;
    });
    await talk(program, 'after');
    expect(String(program.stdout)).toBe('beforeafter');
  });

  test('it goes on when the remote is reset while no daemon is there', async () => {
    const manager = await startManaged(each, 300);
    const program = socat(await linkOf(path));
    await talk(program, 'before');
    await manager.kill(1);
    await manager.said(/^ENDED 1 /m);
    await scene.board(each.core, 'kill', each.core);
    await manager.ready(2);
    await until('the next life', async () => {
      const generation = await client.get(`/org/rpmsg/${each.core}`, 'Remote', 'Generation');
      return generation === 2 && (await client.get(path, 'Endpoint', 'Connected')) === true;
    });
    await talk(program, 'after');
  });
});

test('what is written while the remote is away is answered by its next life', async () => {
  const gate = workDirectory();
  const firmware = firmwareCommand(1, `${row.firmware} --app ${name}`);
  const later = `while [ ! -e '${gate}/go' ]; do sleep 0.02; done; exec ${firmware}`;
  const command = lives(gate, 'firmware', [firmware, `sh -c "${later}"`]);
  await start(row, {}, { firmware: () => command, channels: [name] });
  const program = socat(await linkOf());
  await talk(program, 'before');
  await scene.board(row.core, 'kill', row.core);
  const endpoint = client.endpoint(channel);
  await until('it is gone', async () => (await endpoint.get('Connected')) === false);
  program.write('meanwhile');
  writeFileSync(join(gate, 'go'), '');
  await program.said(/^beforemeanwhile$/);
  await talk(program, 'after');
  expect(String(program.stdout)).toBe('beforemeanwhileafter');
  expect(scene.daemon.process.output).toContain('the terminal stays');
});

test('list and status say where it is', async () => {
  await start(row);
  const link = await linkOf();
  expect((await scene.daemon.rpmsgctl('list')).stdout).toContain(`, terminal ${link}\n`);
  const { stdout } = await scene.daemon.rpmsgctl('status', channel);
  expect(stdout).toMatch(new RegExp(`^ *Terminal: ${link}$`, 'm'));
});

test('picocom talks through the link', async () => {
  await start(row);
  const link = await linkOf();
  const program = run('script', '-qefc', `picocom --nolock --quiet ${link}`, '/dev/null');
  await until('picocom has it open', () => isOpen(link));
  await talk(program, 'typed');
});

/** Whether any process has the terminal open. */
function isOpen(link: string): boolean {
  const target = readlinkSync(link);
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .some((pid) => openFiles(pid).includes(target));
}

function openFiles(pid: string): string[] {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).map((fd) => readlinkSync(join(folder, fd)));
  } catch {
    return []; // it has ended
  }
}

test('a slow reader gets every byte of both directions, and the writer waits', async () => {
  await start(row, {}, { remote: { lossless: [0] } });
  const program = socat(await linkOf());
  const sent = randomBytes(1_500_000);
  program.process.stdout.pause();
  program.write(sent);
  const tx = async () => (await client.endpoint(channel).stats())['tx_bytes'] ?? 0n;
  // Nobody reads: everything between here and the firmware is full, and no more goes.
  let before = -1n;
  await until('a stall', async () => {
    const now = await tx();
    const stands = now > 0n && now === before;
    before = now;
    return stands;
  });
  expect(Number(before)).toBeLessThan(sent.length);
  program.process.stdout.resume();
  expect((await received(program, sent.length)).equals(sent)).toBe(true);
  expect(await client.endpoint(channel).stats()).toMatchObject({ rx_drops: 0n, tx_refused: 0n });
});

test('no message has more than the 256 bytes that NXP’s driver sends', async () => {
  await start(row);
  const program = socat(await linkOf());
  program.write(Buffer.alloc(5_000, 'x'));
  await received(program, 5_000);
  const { tx_messages: messages = 0n, tx_bytes: bytes = 0n } = await client
    .endpoint(channel)
    .stats();
  expect(bytes).toBe(5_000n);
  expect(Number(messages)).toBeGreaterThanOrEqual(Math.ceil(5_000 / messageBytes));
});

test('what the remote says while nobody has it open waits, beyond its room is dropped and counted', async () => {
  await start(row);
  const link = await linkOf();
  const sender = await client.open(channel);
  const writer = run('sh', '-c', `head -c 600000 /dev/zero >${link}`);
  expect((await writer.ended).status).toBe(0);
  const stats = async () => await client.endpoint(channel).stats();
  const drops = await until('drops', async () => {
    const { tx_bytes: bytes = 0n, rx_messages, rx_drops = 0n, tx_messages } = await stats();
    return bytes === 600_000n && rx_messages === tx_messages ? rx_drops : undefined;
  });
  expect(drops).toBeGreaterThan(0n);
  const reader = socat(link);
  await received(reader, 60_000);
  await sender.close();
});

test('after its last close it is raw again, whatever its last user made of it', async () => {
  await start(row);
  const link = await linkOf();
  const settings = () => String(execFileSync('stty', ['-a', '-F', link]));
  expect(settings()).toContain('-echo ');
  execFileSync('stty', ['-F', link, 'sane']);
  await until('raw', () => settings().includes('-echo ') && settings().includes('-icanon'));
});

test('Send, Receive and AcquireStream of the channel are Busy, and a private endpoint is not', async () => {
  await start(row);
  await linkOf();
  const shared = client.endpoint(channel);
  expect(await errorOf(shared.send(Buffer.from('x')))).toMatch(/Busy: .*tty/);
  expect(await errorOf(shared.receive(1, 0))).toMatch(/Busy/);
  const own = await client.open(channel);
  await own.send(Buffer.from('past the terminal'));
  expect(String(await own.receiveData())).toBe('past the terminal');
});

describe('a configuration', () => {
  test('turns it off for a name, and on for any other', async () => {
    const channels = [
      { name, tty: false },
      { name: 'echo', tty: true },
    ];
    await start(row, { channel: channels });
    const echo = channelPath(row.core, 0, 'echo');
    await talk(socat(await linkOf(echo)), 'an echo');
    expect(await client.get(channel, 'Channel', 'Tty')).toBe('');
    await client.endpoint(channel).send(Buffer.from('x'));
  });

  test('that is read again makes and ends terminals, and tells their users by a hang-up', async () => {
    await start(row);
    const link = await linkOf();
    const program = socat(link);
    await talk(program, 'here');
    const file = join(scene.daemon.scene.directory, 'rpmsgd.toml');
    const rules = [`name = "${name}"\ntty = false`, 'name = "echo"\ntty = true'];
    appendFileSync(file, rules.map((rule) => `\n[[channel]]\n${rule}\n`).join(''));
    await client.call('/org/rpmsg', 'Manager', 'Reload');
    await program.ended;
    await talk(socat(await linkOf(channelPath(row.core, 0, 'echo'))), 'there');
    expect(existsSync(link)).toBe(false);
    expect(await client.get(channel, 'Channel', 'Tty')).toBe('');
  });

  test('that is read again for another group takes it from its users', async () => {
    await start(row);
    const link = await linkOf();
    const program = socat(link);
    await talk(program, 'here');
    const file = join(scene.daemon.scene.directory, 'rpmsgd.toml');
    appendFileSync(file, `\n[[channel]]\nname = "${name}"\ngroup = "${ownGroup()}"\n`);
    await client.call('/org/rpmsg', 'Manager', 'Reload');
    await program.ended;
    const isForGroup = () => statSync(link).gid === process.getgid?.();
    await until('another one', () => existsSync(link) && isForGroup());
    await talk(socat(await linkOf()), 'there');
  });

  test('limits how many there are on a vdev', async () => {
    await start(row, { limits: { ttys_per_device: 1 }, channel: [{ name: 'echo', tty: true }] });
    await scene.daemon.process.said(/ttys_per_device/);
    const ttys = [channel, channelPath(row.core, 0, 'echo')].map((path) =>
      client.get(path, 'Channel', 'Tty'),
    );
    expect((await Promise.all(ttys)).filter((tty) => tty !== '')).toHaveLength(1);
  });
});

/** Writes into an open terminal and ends several daemons meanwhile; resolves with what came back. */
async function overDeaths(signal: 'SIGTERM' | 'SIGKILL', sent: Buffer): Promise<Buffer> {
  const manager = await startManaged(row);
  const link = await linkOf();
  const program = socat(link);
  await talk(program, 'before');
  const { length } = program.stdout;
  const target = readlinkSync(link);
  program.write(sent);
  await received(program, length + 1_000);
  for (let life = 1; life <= deaths; life++) {
    await manager.kill(life, signal);
    await manager.ready(life + 1);
  }
  await talk(program, 'after');
  expect(readlinkSync(link)).toBe(target);
  expect(await linkOf()).toBe(link);
  return program.stdout.subarray(length, -'after'.length);
}

test('under a service manager an open terminal loses nothing over restarts', async () => {
  const sent = randomBytes(100_000);
  expect((await overDeaths('SIGTERM', sent)).equals(sent)).toBe(true);
});

/** Whether `got` is `sent` but for pieces of a message's size that are missing or come twice. */
function doubts(sent: Buffer, got: Buffer): number {
  let count = 0;
  for (let at = 0, from = 0; at < got.length; count++) {
    while (at < got.length && got[at] === sent[from]) {
      at++;
      from++;
    }
    if (at === got.length) break;
    // Bytes at random: eight of them are where they are once, and two are as expected by chance.
    const found = sent.indexOf(got.subarray(at, at + 8));
    expect(found).toBeGreaterThanOrEqual(0);
    expect(Math.abs(found - from)).toBeLessThanOrEqual(messageBytes + 2);
    from = found;
  }
  return count;
}

test('over SIGKILL it goes on, with one message each way in doubt', async () => {
  const sent = randomBytes(100_000);
  const got = await overDeaths('SIGKILL', sent);
  expect(doubts(sent, got)).toBeLessThanOrEqual(2 * deaths);
});

test('without a service manager its user is hung up, and the next daemon makes another', async () => {
  await start(row);
  const link = await linkOf();
  const program = socat(link);
  await talk(program, 'before');
  const stray = join(scene.daemon.scene.directory, 'tty', 'cm40-vdev7-gone');
  execFileSync('ln', ['-s', '/dev/pts/0', stray]);
  await scene.daemon.restart('SIGKILL');
  await program.ended;
  await talk(socat(await linkOf()), 'after');
  expect(existsSync(stray) || lstatExists(stray)).toBe(false);
});

/** A group to which whoever runs the tests may give a file. */
function ownGroup(): string {
  return String(execFileSync('id', ['--group', '--name'])).trim();
}

function lstatExists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

test('it is for the members of the channel’s group', async () => {
  await start(row, { channel: [{ name, group: ownGroup() }] });
  const { mode, gid } = statSync(await linkOf());
  expect({ mode: mode & 0o777, gid }).toEqual({ mode: 0o660, gid: process.getgid?.() });
});
