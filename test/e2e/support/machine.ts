// SPDX-License-Identifier: Apache-2.0
// A Debian 12 machine for tests: a throw-away copy of the cached root, booted with its own systemd
// in systemd-nspawn. Works only inside packaging/e2e/namespace.sh, which ends what is left of it.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeOverlay, removeOverlay } from './overlay.ts';
import { surroundings } from './surroundings.ts';
import { until } from './until.ts';

export type BusDaemon = 'dbus-daemon' | 'dbus-broker';

export interface ExecOptions {
  /** A user of the machine; default root. */
  readonly user?: string;
  /** Killed, and status 124, when it takes longer. Default 60 s. */
  readonly deadlineS?: number;
}

export interface ExecResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One entry of the journal; fields that are not text are left out. */
export type JournalEntry = Readonly<Record<string, string>>;

const environment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
  SYSTEMD_PAGER: '',
  SYSTEMD_COLORS: '0',
};

const nspawnOptions = [
  '--quiet',
  '--boot',
  '--register=no',
  '--keep-unit',
  '--settings=no',
  '--private-network',
  // systemd inside enforces DevicePolicy by a BPF program.
  '--system-call-filter=bpf',
  '--console=pipe',
  '--link-journal=no',
  '--resolv-conf=off',
  '--timezone=off',
];

let booted = 0;

export class Machine {
  readonly #name: string;
  readonly #directory: string;
  readonly #supervisor: ChildProcess;
  readonly #ended: Promise<void>;
  #leader = 0;

  private constructor(name: string, directory: string, supervisor: ChildProcess) {
    this.#name = name;
    this.#directory = directory;
    this.#supervisor = supervisor;
    this.#ended = new Promise((resolve) => supervisor.once('exit', () => resolve()));
  }

  /** Resolves when systemd has started everything. `bus` is the system bus's daemon. */
  static async boot(bus: BusDaemon = 'dbus-daemon'): Promise<Machine> {
    const name = `m${process.pid}-${++booted}`;
    const directory = makeOverlay(name, surroundings().root);
    chooseBus(directory, bus);
    const machine = new Machine(name, directory, spawnMachine(name, directory));
    try {
      await machine.#waitForBoot();
    } catch (error) {
      const log = machine.console;
      await machine.stop();
      throw new Error(`${error instanceof Error ? error.message : error}\n${log}`);
    }
    return machine;
  }

  async #waitForBoot(): Promise<void> {
    const supervisor = this.#supervisor.pid ?? 0;
    await until('the machine has a first process', () => {
      this.#leader = firstProcess(supervisor);
      return this.#leader !== 0;
    });
    await until('the machine has booted', async () => {
      const { stdout } = await this.exec(['systemctl', 'is-system-running']);
      return /^(running|degraded)$/m.test(stdout);
    });
  }

  /** What the machine wrote to its console. */
  get console(): string {
    return readFileSync(consolePath(this.#name), 'utf8');
  }

  /** What nsenter takes to enter the machine in everything but its file systems. */
  get namespaces(): readonly string[] {
    return ['-t', String(this.#leader), '-u', '-i', '-n', '-p', '-C'];
  }

  /** What nsenter takes to run `argv` in the machine. */
  #enter(argv: readonly string[], user: string | undefined): string[] {
    const enter = [...this.namespaces, '-m', '-r', '-w'];
    const become = user === undefined ? [] : ['runuser', '-u', user, '--'];
    return [...enter, '--', ...become, ...argv];
  }

  /** Starts a program that runs beside the test; it ends with the machine if not before. */
  start(argv: readonly string[], { user }: ExecOptions = {}): ChildProcess {
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
    return spawn('nsenter', this.#enter(argv, user), { env: environment, stdio });
  }

  /** Runs a program to its end; never throws for what it does. */
  exec(argv: readonly string[], { user, deadlineS = 60 }: ExecOptions = {}): Promise<ExecResult> {
    return new Promise((resolve) => {
      const options = {
        env: environment,
        timeout: deadlineS * 1000,
        killSignal: 'SIGKILL' as const,
        maxBuffer: 64 << 20,
      };
      const child = execFile(
        'nsenter',
        this.#enter(argv, user),
        options,
        (error, stdout, stderr) => {
          const status = error === null ? 0 : (child.exitCode ?? 124);
          resolve({ status, stdout, stderr });
        },
      );
    });
  }

  /** Like exec, but anything than status 0 is an error that shows what the program said. */
  async must(argv: readonly string[], options: ExecOptions = {}): Promise<string> {
    const { status, stdout, stderr } = await this.exec(argv, options);
    if (status === 0) return stdout;
    throw new Error(`${argv.join(' ')}: exit status ${status}\n${stdout}${stderr}`);
  }

  /** Runs shell commands, the first that fails ending them. */
  shell(script: string, options: ExecOptions = {}): Promise<string> {
    return this.must(['bash', '-euc', script], options);
  }

  /** A path of the machine as this process sees it. */
  path(path: string): string {
    return join('/proc', String(this.#leader), 'root', path);
  }

  write(path: string, content: string | Buffer, mode = 0o644): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), content, { mode });
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8');
  }

  /** Properties of a unit as `systemctl show` prints them. */
  async unit(name: string): Promise<Readonly<Record<string, string>>> {
    const text = await this.must(['systemctl', 'show', name]);
    return Object.fromEntries(
      text.split('\n').map((line) => {
        const end = line.indexOf('=');
        return [line.slice(0, end), line.slice(end + 1)];
      }),
    );
  }

  /** Waits until each of these properties of the unit has its value. */
  async waitForUnit(
    name: string,
    wanted: Readonly<Record<string, string>>,
    deadlineS = 20,
  ): Promise<void> {
    let seen = {};
    await until(
      () => `${name} is ${JSON.stringify(wanted)}, not ${JSON.stringify(seen)}`,
      async () => {
        const properties = await this.unit(name);
        seen = Object.fromEntries(Object.keys(wanted).map((key) => [key, properties[key]]));
        return Object.entries(wanted).every(([key, value]) => properties[key] === value);
      },
      deadlineS,
    );
  }

  /** The journal's entries that match, oldest first; `matches` as journalctl takes them. */
  async journal(...matches: readonly string[]): Promise<JournalEntry[]> {
    const text = await this.must(['journalctl', '--output=json', '--all', '--quiet', ...matches]);
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as JournalEntry);
  }

  /** The end of the whole journal, for a person who looks for the cause of a failure. */
  async recentJournal(lines = 60): Promise<string> {
    const { stdout } = await this.exec(['journalctl', '--no-pager', '-q', '-n', String(lines)]);
    return stdout;
  }

  /** A path of the machine's disk, there until stop(), whether the machine runs or not. */
  overlayPath(path: string): string {
    return join(this.#directory, path);
  }

  /** Shuts down as a user does; resolves when the machine is off. */
  async poweroff(): Promise<void> {
    await this.exec(['systemctl', 'poweroff']);
    await until('the machine is off', () => this.#hasEnded, 60);
  }

  get #hasEnded(): boolean {
    return this.#supervisor.exitCode !== null || this.#supervisor.signalCode !== null;
  }

  /** Pulls the plug and throws the machine away. */
  async stop(): Promise<void> {
    if (!this.#hasEnded) {
      if (this.#leader !== 0) process.kill(this.#leader, 'SIGKILL');
      else this.#supervisor.kill('SIGKILL');
      await this.#ended;
    }
    removeOverlay(this.#name);
  }
}

/** Which daemon `dbus.service` is: dbus-broker's package takes it by an alias. */
function chooseBus(directory: string, bus: BusDaemon): void {
  const link = join(directory, 'etc/systemd/system/dbus.service');
  rmSync(link, { force: true });
  if (bus === 'dbus-broker') symlinkSync('/lib/systemd/system/dbus-broker.service', link);
}

function consolePath(name: string): string {
  return join(surroundings().scratch, `${name}.console`);
}

/** Each machine has a control group to itself, since it puts its own below the one it is in. */
function spawnMachine(name: string, directory: string): ChildProcess {
  const group = join(surroundings().cgroup, name);
  mkdirSync(group);
  const console = openSync(consolePath(name), 'w');
  const script = 'echo $$ >"$0/cgroup.procs" && exec systemd-nspawn "$@"';
  const args = [...nspawnOptions, `--machine=${name}`, `--directory=${directory}`];
  return spawn('sh', ['-c', script, group, ...args], {
    env: { PATH: environment.PATH, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' },
    stdio: ['ignore', console, console],
  });
}

/** The child of `supervisor` that is process 1 of its own namespace; 0 while there is none. */
function firstProcess(supervisor: number): number {
  try {
    const path = `/proc/${supervisor}/task/${supervisor}/children`;
    const children = readFileSync(path, 'utf8').trim().split(' ').map(Number);
    const isFirst = (child: number) =>
      /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${child}/status`, 'utf8'));
    return children.find((child) => child > 0 && isFirst(child)) ?? 0;
  } catch {
    // It ended between two looks.
    return 0;
  }
}
