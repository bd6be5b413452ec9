// SPDX-License-Identifier: Apache-2.0
// What system tests do to a running scene besides calling it: signals to firmware, sd-bus clients as
// processes of their own, the memory of a process. All of it ends with its test.

import { readFileSync } from 'node:fs';
import { Child } from '../../packaging/dev/child.mjs';
import { BusSocket } from '../../src/addon/bus-socket.ts';
import { askBoard } from '../../src/cli/sim-control.ts';
import { compileHelper } from './bus-process.ts';
import { DaemonProcess, type DaemonSetup } from './daemon-process.ts';
import { RpmsgClient, until } from './rpmsg-client.ts';

/** A daemon with everything around it, and the clients a test made, all stopped by `stop()`. */
export class SceneClient {
  readonly daemon: DaemonProcess;
  readonly #cleanups: (() => Promise<unknown>)[] = [];

  private constructor(daemon: DaemonProcess) {
    this.daemon = daemon;
  }

  static async start(setup?: DaemonSetup): Promise<SceneClient> {
    return new SceneClient(await DaemonProcess.start(setup));
  }

  get #firstCore(): string {
    const [remote] = this.daemon.scene.config['remote'] as { core: string }[];
    return remote?.core ?? '';
  }

  get address(): string {
    return this.daemon.address;
  }

  async client(): Promise<RpmsgClient> {
    const client = await RpmsgClient.connect(this.address);
    this.#cleanups.push(() => client.close());
    return client;
  }

  /** One to which the bus passes descriptors. */
  async streamClient(): Promise<RpmsgClient> {
    const client = await RpmsgClient.connect(this.address, { connectSocket: BusSocket.connect });
    this.#cleanups.push(() => client.close());
    return client;
  }

  /** Starts the sd-bus client; its words are those of endpoint-client.c. */
  sdBusClient(channel: string, ...words: string[]): Child {
    const program = compileHelper('endpoint-client', ['systemd']);
    const child = new Child('endpoint-client', program, [this.address, channel, ...words]);
    this.#cleanups.push(() => child.stop('SIGKILL'));
    return child;
  }

  /** Process id of a core's firmware, as the board tells it. */
  async firmwarePid(core = this.#firstCore): Promise<number> {
    return await until(`firmware of ${core}`, () => {
      const output = this.daemon.scene.socs.map((soc) => soc.output).join('');
      const started = [
        ...output.matchAll(new RegExp(`^${core} firmware started pid (\\d+)$`, 'gm')),
      ];
      const pid = started.at(-1)?.[1];
      return pid === undefined ? undefined : Number(pid);
    });
  }

  /** Asks the board of a remote, as `rpmsgctl sim` does; native/sim/README.md has the words. */
  board(remote: string, ...words: string[]): Promise<Record<string, unknown>> {
    const remotes = this.daemon.scene.config['remote'] as { name: string; socket: string }[];
    const found = remotes.find(({ name }) => name === remote);
    if (found === undefined) throw new Error(`no remote ${remote}`);
    return askBoard(found.socket, words);
  }

  /** How often a core's firmware was started, and whether it runs. */
  async coreStatus(core: string): Promise<{ lives: number; state: string }> {
    const { cores } = await this.board(core, 'status');
    const all = cores as { name: string; lives: number; state: string }[];
    const found = all.find(({ name }) => name === core);
    if (found === undefined) throw new Error(`no core ${core}`);
    return found;
  }

  /** SIGKILL, or a signal that the firmware obeys: it has, when this resolves. */
  async signalFirmware(signal: NodeJS.Signals, core?: string): Promise<void> {
    const pid = await this.firmwarePid(core);
    process.kill(pid, signal);
    if (signal === 'SIGKILL') return;
    await until(`${signal} taken`, () => /^ShdPnd:\s+0+$/m.test(statusOf(pid)));
    // Its loop does what the handler noted before it sleeps again.
    await until(`${signal} obeyed`, () => /^State:\s+S/m.test(statusOf(pid)));
  }

  /** Ends the clients that the test made, the latest first. */
  async endClients(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0).reverse()) await cleanup();
  }

  /** Stops everything; throws unless the daemon exits with `status`. */
  async stop(status = 0): Promise<void> {
    await this.endClients();
    await this.daemon.stop(status);
  }
}

function statusOf(pid: number | undefined): string {
  return readFileSync(`/proc/${pid}/status`, 'utf8');
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid: number | undefined): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(statusOf(pid))?.[1]) * 1024;
}

/** Seconds of CPU that a process has used. */
export function cpuSeconds(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  // utime and stime, in ticks of 10 ms (proc(5), fields 14 and 15).
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
