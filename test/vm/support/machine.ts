// SPDX-License-Identifier: Apache-2.0
// The emulated machine: QEMU with the kernel, the device tree and the files that packaging/dev/vm.mjs
// made, and a line to the shell inside (packaging/vm/vm-agent).

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface ExecResult {
  readonly status: number;
  /** Standard output and standard error as they came. */
  readonly output: string;
}

const bootDeadlineS = 300;

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run this by npm run test:vm`);
  return value;
}

/** A word for the shell that means itself. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** Rejects with what `text` says unless `work` settles in time. */
async function within<T>(deadlineS: number, text: () => string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(text())), deadlineS * 1000);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

export class Machine {
  readonly #emulator: ChildProcess;
  readonly #console: string;
  #line: Socket | undefined;
  #answer: ((text: string) => void) | undefined;

  private constructor(emulator: ChildProcess, console: string) {
    this.#emulator = emulator;
    this.#console = console;
  }

  /** Resolves when systemd has started everything. */
  static async boot(name: string): Promise<Machine> {
    const socket = join(required('RPMSGD_VM_WORK'), `${name}.socket`);
    const console = join(required('RPMSGD_VM_WORK'), `${name}.console`);
    rmSync(socket, { force: true });
    // Before QEMU, which connects to it: a port that nobody is connected to reads as at its end.
    const server = createServer().listen(socket);
    await once(server, 'listening');
    const emulator = spawn('qemu-system-aarch64', options(socket, console), {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const machine = new Machine(emulator, console);
    const [line] = (await once(server, 'connection')) as [Socket];
    server.close();
    const booted = machine.#listen(line);
    await within(bootDeadlineS, () => `no boot:\n${machine.console}`, booted);
    await machine.must('systemctl is-system-running --wait || systemctl --failed');
    return machine;
  }

  /** Resolves when the shell inside says that it listens. */
  #listen(line: Socket): Promise<string> {
    this.#line = line;
    line.on('error', () => undefined);
    createInterface(line).on('line', (text) => this.#answer?.(text));
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  get console(): string {
    return readFileSync(this.#console, 'utf8');
  }

  /** Runs shell commands to their end, one call after the other; never throws for what they do. */
  async exec(script: string, deadlineS = 100): Promise<ExecResult> {
    const answer = new Promise<string>((resolve) => {
      this.#answer = resolve;
    });
    this.#line?.write(`${Buffer.from(script).toString('base64')}\n`);
    const text = await within(deadlineS, () => `no answer in time: ${script}`, answer);
    const [status = '', output = ''] = text.split(' ');
    return { status: Number(status), output: Buffer.from(output, 'base64').toString() };
  }

  /** Like exec, but any status but 0 is an Error that shows what the commands wrote. */
  async must(script: string, deadlineS?: number): Promise<string> {
    const { status, output } = await this.exec(`set -e; ${script}`, deadlineS);
    if (status === 0) return output;
    throw new Error(`${script}: exit status ${status}\n${output}`);
  }

  /** Pulls the plug. */
  async stop(): Promise<void> {
    if (this.#emulator.exitCode !== null || this.#emulator.signalCode !== null) return;
    const ended = once(this.#emulator, 'exit');
    this.#emulator.kill('SIGKILL');
    await ended;
  }
}

function options(socket: string, console: string): string[] {
  const own = JSON.parse(required('RPMSGD_VM_OPTIONS')) as string[];
  return [
    ...own,
    ...['-kernel', required('RPMSGD_VM_KERNEL'), '-initrd', required('RPMSGD_VM_IMAGE')],
    ...['-dtb', required('RPMSGD_VM_DEVICE_TREE'), '-no-reboot'],
    ...['-append', 'console=ttyAMA0 rdinit=/init panic=-1 audit=0 quiet'],
    ...['-serial', `file:${console}`, '-device', 'virtio-serial-device'],
    ...['-chardev', `socket,id=agent,path=${socket}`],
    ...['-device', 'virtserialport,chardev=agent,name=agent'],
  ];
}
