// SPDX-License-Identifier: Apache-2.0
// What the registers of a remote's MU say: whether it has a clock, whether the other side takes and
// sends words, whether ours does, and whether somebody else is at it.

import { setTimeout as sleep } from 'node:timers/promises';
import { readMuState } from '../../addon/system.ts';
import type { MuGeneration, MuLook, MuState, RemoteState } from '../../addon/types.ts';
import { hex } from '../../config/index.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import type { Machine } from './machine.ts';
import type { UioDevice } from './uio-devices.ts';

/** Who serves the MU: the daemon in this state of the remote, no daemon, or it was not asked. */
export type MuServer = RemoteState | 'none' | 'unknown';

/** RPMsg's channel and general interrupt (RPMSG_MU_CHANNEL of RPMsg-Lite; "rxdb" is <3 1>). */
const channel = 1;
const bit = 1 << channel;

const overlays = 'as the overlays do';
const clock = `give its node power-domains, or a bus with its clock, ${overlays}; where there is SCFW, its resource has to be Linux'`;

/** Looks at the MU that is map 0 of a device. Nothing if its node is not there: access.ts says so. */
export async function checkMuState(
  machine: Machine,
  check: string,
  { node, maps }: UioDevice,
  generation: MuGeneration,
  server: MuServer,
): Promise<Finding[]> {
  const path = `/dev/${node}`;
  if (!machine.exists(path)) return [];
  const look = () => readMuState(machine.path(path), 0, maps[0]?.offset ?? 0, generation);
  try {
    return judgeMu(check, await steadyLook(look), server);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    const text = `the registers in ${path} cannot be read: ${code}`;
    const isForbidden = code === 'EACCES' || code === 'EPERM';
    return [
      warn(check, text, isForbidden ? 'run rpmsgctl doctor as root' : `see dmesg for ${node}`),
    ];
  }
}

const looks = 20;
const pauseMs = 10;

/** What is so at every look: while traffic flows words and doorbells come and go. */
async function steadyLook(look: () => MuLook): Promise<MuLook> {
  let steady = look();
  for (let count = 1; count < looks && steady.isAnswering && isStanding(steady); count++) {
    await sleep(pauseMs);
    const next = look();
    steady = next.isAnswering ? standing(steady, next) : next;
  }
  return steady;
}

function isStanding({
  transmitEmpty,
  receiveFull,
  doorbellsPending,
  isCrossing,
}: MuState): boolean {
  return (
    (transmitEmpty & bit) === 0 || ((receiveFull | doorbellsPending) & bit) !== 0 || isCrossing
  );
}

function standing(before: MuState, now: MuState & { readonly isAnswering: true }): MuLook {
  return {
    ...now,
    transmitEmpty: before.transmitEmpty | now.transmitEmpty,
    receiveFull: before.receiveFull & now.receiveFull,
    doorbellsPending: before.doorbellsPending & now.doorbellsPending,
    isCrossing: before.isCrossing && now.isCrossing,
  };
}

/** What a look means, given who is there to serve it. */
export function judgeMu(check: string, look: MuLook, server: MuServer): Finding[] {
  if (!look.isAnswering) {
    return [fail(check, 'reading the registers is a bus error: no clock or power', clock)];
  }
  const dead = deadValue(look);
  if (dead !== undefined) {
    return [fail(check, `the registers read as ${dead}: no clock or power`, clock)];
  }
  return [
    ok(check, describe(look)),
    ...judgeInbox(check, look, server),
    ...judgeOutbox(check, look),
    ...judgeEnables(check, look, server),
  ];
}

/** Undefined for a MU that lives: of its four TE bits at least those of channels nobody uses are set. */
function deadValue({ registers, ...state }: MuState): string | undefined {
  if (registers.every(([, value]) => value === 0xffffffff)) return 'all ones';
  const { transmitEmpty, receiveFull, doorbellsPending } = state;
  return (transmitEmpty | receiveFull | doorbellsPending) === 0 ? 'zeros' : undefined;
}

function describe(state: MuState): string {
  const enables = [
    ...names('TIE', state.transmitEnabled),
    ...names('RIE', state.receiveEnabled),
    ...names('GIE', state.doorbellsEnabled),
  ];
  const words = [
    `TE ${set(state.transmitEmpty)}, RF ${set(state.receiveFull)}, GIP ${set(state.doorbellsPending)}`,
    ...names('GIR', state.doorbellsRinging),
    ...(state.isCrossing ? ['FUP'] : []),
    `enabled ${enables.join(', ') || 'none'}`,
    `Fn ${state.remoteFlags} of the remote, ${state.ownFlags} of ours`,
    `registers ${state.registers.map(([at, value]) => `${hex(at)}=${hex(value)}`).join(' ')}`,
  ];
  return words.join(', ');
}

function names(field: string, channels: number): string[] {
  return channels === 0 ? [] : [`${field} ${set(channels)}`];
}

function set(channels: number): string {
  return [0, 1, 2, 3].filter((each) => channels & (1 << each)).join(' ') || 'none';
}

function isServing(server: MuServer): boolean {
  return server !== 'none' && server !== 'unknown' && server !== 'offline';
}

const journal = 'see journalctl -u rpmsgd';

/** What came from the remote and was not taken. */
function judgeInbox(check: string, state: MuState, server: MuServer): Finding[] {
  const word = (state.receiveFull & bit) !== 0;
  const doorbell = (state.doorbellsPending & bit) !== 0;
  if (isServing(server) && (word || doorbell)) {
    const what = word ? `a word in RR${channel}` : `doorbell ${channel}`;
    const text = `the daemon (${server}) does not take ${what}: the MU's interrupt does not reach it, or it is stopped`;
    const remedy = `does the count in /proc/interrupts rise? else compare "interrupts" of the node with the manual of the SoC; ${journal}`;
    return [fail(check, text, remedy)];
  }
  if (!word) return [];
  const waits = `a word waits in RR${channel}, and the remote in its next send until it is taken`;
  if (server === 'offline')
    return [fail(check, `${waits}: the daemon has not opened the MU`, journal)];
  if (server === 'none') return [warn(check, `${waits}: no daemon runs`, 'systemctl start rpmsgd')];
  return [warn(check, waits, 'is the daemon running? systemctl start rpmsgd')];
}

/** What we sent and the remote did not take. */
function judgeOutbox(check: string, state: MuState): Finding[] {
  const start = 'start or reset the core';
  const findings: Finding[] = [];
  if ((state.transmitEmpty & bit) === 0) {
    const text = `our word in TR${channel} is not taken: the remote's firmware does not run, hangs, or serves another MU`;
    const remedy = `${start}; if its firmware runs, compare the MU of its RPMsg port with this one`;
    findings.push(warn(check, text, remedy));
  }
  if (state.isCrossing) {
    const text =
      "a change of our flags does not arrive (FUP): the core's side of the MU has no clock";
    findings.push(warn(check, text, start));
  }
  return findings;
}

function judgeEnables(check: string, state: MuState, server: MuServer): Finding[] {
  const findings: Finding[] = [];
  const foreign = [
    ...names('TIE', state.transmitEnabled & ~bit),
    ...names('RIE', state.receiveEnabled & ~bit),
    ...names('GIE', state.doorbellsEnabled & ~bit),
  ];
  if (foreign.length > 0) {
    const who = isServing(server) ? 'another driver uses' : 'another driver uses, or has used,';
    const text = `interrupts are enabled that the daemon does not want (${foreign.join(', ')}): ${who} this MU`;
    findings.push(
      warn(check, text, `take the MU from it: disable its node, ${overlays}, and reboot`),
    );
  }
  if (isServing(server) && (state.receiveEnabled & state.doorbellsEnabled & bit) === 0) {
    const text = `the daemon (${server}) runs, but RIE ${channel} and GIE ${channel} are not both enabled: the MU was reset (MUR), or another driver wrote its control register`;
    const remedy = `systemctl restart rpmsgd; firmware must not reset the MU, and no other driver may have it`;
    findings.push(fail(check, text, remedy));
  }
  return findings;
}
