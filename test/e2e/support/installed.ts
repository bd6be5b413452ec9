// SPDX-License-Identifier: Apache-2.0
// Machines with the packages installed as an administrator does it: apt, then two commands.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type BusDaemon, Machine } from './machine.ts';
import { surroundings } from './surroundings.ts';
import { until } from './until.ts';

export type PackageName = 'rpmsgd' | 'rpmsgd-simulator';

/** A user of each kind, made by addUsers(). */
export const users = {
  /** Of group rpmsg. */
  member: 'alice',
  /** Of no group but the own. */
  outsider: 'mallory',
  /** Of group rpmsg-admin. */
  admin: 'edith',
} as const;

export const echo = '/org/rpmsg/cm40/vdev0/channel_echo';

/** The file of a package as `npm run package` made it. */
export function packageFile(name: PackageName, architecture = 'amd64'): string {
  const { packages } = surroundings();
  const isIt = (file: string) =>
    file.startsWith(`${name}_`) && file.endsWith(`_${architecture}.deb`);
  const found = readdirSync(packages).filter(isIt);
  const [file] = found;
  if (file === undefined || found.length > 1) {
    throw new Error(`${packages} has ${found.length} files of ${name} for ${architecture}, not 1`);
  }
  return join(packages, file);
}

/** The same package under another version, made once: what a release brings, without building another. */
export function repackage(name: PackageName, version: string): string {
  const { scratch } = surroundings();
  const tree = join(scratch, `repackage-${name}-${version}`);
  const file = join(scratch, `${name}_${version}_amd64.deb`);
  if (existsSync(file)) return file;
  execFileSync('dpkg-deb', ['--raw-extract', packageFile(name), tree]);
  const control = join(tree, 'DEBIAN/control');
  const text = readFileSync(control, 'utf8')
    .replace(/^Version: .*$/m, `Version: ${version}`)
    .replace(/\brpmsgd \(= [^)]*\)/, `rpmsgd (= ${version})`);
  writeFileSync(control, text);
  execFileSync('dpkg-deb', ['-Zgzip', '-z1', '--build', tree, file]);
  return file;
}

/** Copies a package's file into the machine; returns its path there. */
export function putFile(machine: Machine, file: string): string {
  const directory = '/var/tmp/packages';
  mkdirSync(machine.path(directory), { recursive: true });
  const path = join(directory, basename(file));
  cpSync(file, machine.path(path));
  return path;
}

/** `apt-get install` of these files, which are copied into the machine first. Returns its words. */
export function installFiles(
  machine: Machine,
  files: readonly string[],
  options: readonly string[] = [],
): Promise<string> {
  const paths = files.map((file) => putFile(machine, file));
  const apt = ['apt-get', 'install', '--yes', '--no-install-recommends', ...options, ...paths];
  return machine.must(apt, { deadlineS: 120 });
}

export async function addUsers(machine: Machine): Promise<void> {
  await machine.shell(`
    useradd --no-create-home --groups rpmsg ${users.member}
    useradd --no-create-home ${users.outsider}
    useradd --no-create-home --groups rpmsg-admin ${users.admin}`);
}

/** Configures the simulated remote cm40, starts its board, waits until its channels are there. */
export async function useSimulator(machine: Machine): Promise<void> {
  await machine.shell(`
    mkdir -p /etc/rpmsg/rpmsgd.toml.d
    ln -s /usr/share/rpmsgd-simulator/simulator.toml /etc/rpmsg/rpmsgd.toml.d/50-simulator.toml
    systemctl enable --quiet --now rpmsg-simulator
    systemctl restart rpmsgd`);
  await waitForEcho(machine);
}

/** Waits for every channel that the firmware announces: six on either vdev. */
export async function waitForEcho(machine: Machine): Promise<void> {
  const channels = async () => {
    const { stdout } = await machine.exec(['busctl', 'tree', '--list', 'org.rpmsg']);
    return (stdout.match(/\/channel_/g) ?? []).length >= 12;
  };
  await until('both vdevs of cm40 have their channels', channels, 15);
}

/** Both packages, the simulated remote, one user of each kind. */
export async function simulatedMachine(bus: BusDaemon = 'dbus-daemon'): Promise<Machine> {
  const machine = await Machine.boot(bus);
  try {
    await installFiles(machine, [packageFile('rpmsgd'), packageFile('rpmsgd-simulator')]);
    await addUsers(machine);
    await useSimulator(machine);
  } catch (error) {
    const journal = await machine.recentJournal();
    await machine.stop();
    throw new Error(`${error instanceof Error ? error.message : error}\n${journal}`);
  }
  return machine;
}

/** Sends three bytes to the M core and returns what its echo application answered. */
export async function echoBytes(machine: Machine, bytes: readonly number[]): Promise<number[]> {
  const call = ['busctl', 'call', 'org.rpmsg', echo, 'org.rpmsg.Endpoint'];
  const options = { user: users.member };
  const payload = [bytes.length, ...bytes].map(String);
  await machine.must([...call, 'Send', 'ay', ...payload], options);
  const answer = await machine.must([...call, 'Receive', 'uu', '1', '5000'], options);
  const words = answer.trim().split(' ').map(Number);
  // a(tuutay)t: count, seq, src, generation, time, length, bytes, dropped.
  return words.slice(7, -1);
}
