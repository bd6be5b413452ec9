// SPDX-License-Identifier: Apache-2.0
// What one remote on hardware needs: its MU, its memory, SCFW's MU where there is SCFW.

import type { UioSetup } from '../../addon/types.ts';
import { hex, type RemoteConfig } from '../../config/index.ts';
import { socs } from '../../config/socs.ts';
import { checkAccess } from './access.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import type { Machine } from './machine.ts';
import { checkMuState, type MuServer } from './mu-state.ts';
import { isForUio, isPowered, type MachineTree } from './tree.ts';
import {
  covers,
  describeDevice,
  describeDevices,
  type UioDevice,
  uioDevices,
} from './uio-devices.ts';

const overlay = "apply your board's overlay of /usr/share/rpmsgd/overlays";

/** A machine, and how it is looked at. */
export interface Examination {
  readonly machine: Machine;
  readonly tree: MachineTree;
  /** The MU is read even where that may stop the machine. */
  readonly readsUnpoweredMu: boolean;
  /** By the name of a remote. */
  readonly muServer: (remote: string) => MuServer;
}

/** One remote of a machine, and what is known of both. */
interface HardwareCase extends Examination {
  readonly remote: RemoteConfig;
  readonly platform: UioSetup;
  readonly devices: readonly UioDevice[];
  /** Those that the daemon will open, as they are found. */
  readonly used: Set<UioDevice>;
}

export async function checkHardware(
  examination: Examination,
  remote: RemoteConfig,
  platform: UioSetup,
): Promise<Finding[]> {
  const { machine } = examination;
  const used = new Set<UioDevice>();
  const about = { ...examination, remote, platform, devices: uioDevices(machine), used };
  return [
    ...(await checkMu(about)),
    ...checkMemory(about),
    ...checkScuMu(about),
    ...[...used].flatMap((device) => checkAccess(machine, remote.name, device)),
  ];
}

/** The device of a name, else the one that maps an address. */
function find(
  devices: readonly UioDevice[],
  name: string,
  base: number,
  size: number,
): UioDevice | undefined {
  if (name !== '') return devices.find((device) => device.name === name);
  return devices.find((device) => covers(device, base, size));
}

/** Registers of a MU: V2 has its last ones below this. */
const muBytes = 0x300;

async function checkMu(about: HardwareCase): Promise<Finding[]> {
  const { platform, remote, devices, tree, machine } = about;
  const check = `${remote.name} MU`;
  const what = platform.muDevice === '' ? hex(platform.muBase) : `"${platform.muDevice}"`;
  const device = find(devices, platform.muDevice, platform.muBase, muBytes);
  const owner = kernelOwner(machine, platform.muBase);
  if (owner !== undefined) {
    return [
      fail(check, `the kernel's driver ${owner} has ${what}`, `${overlay}, which takes it away`),
    ];
  }
  if (device === undefined) {
    const others = tree.devicesAt(platform.muBase).filter((node) => !isForUio(node));
    const node =
      others[0] === undefined ? '' : `; ${others[0].path} is not compatible with generic-uio`;
    return [fail(check, `no UIO device maps ${what}${node}; ${describeDevices(devices)}`, overlay)];
  }
  about.used.add(device);
  const power = checkPower(about, device);
  return [
    ok(check, `${what} is ${describeDevice(device)}`),
    ...checkInterrupt(about, device),
    ...power,
    ...(await lookAtMu(about, device, power)),
  ];
}

async function lookAtMu(
  { machine, remote, platform, readsUnpoweredMu, muServer }: HardwareCase,
  device: UioDevice,
  power: readonly Finding[],
): Promise<Finding[]> {
  const check = `${remote.name} MU state`;
  if (!readsUnpoweredMu && power.some(({ state }) => state !== 'ok')) {
    const text = 'not looked at: to read a MU without clock or power may stop the machine';
    return [warn(check, text, 'rpmsgctl doctor --mu looks all the same')];
  }
  const server = muServer(remote.name);
  return await checkMuState(machine, check, device, platform.muGeneration, server);
}

/** The kernel's driver that is bound to a device at `base`, if one is. */
function kernelOwner(machine: Machine, base: number): string | undefined {
  const folder = '/sys/bus/platform/drivers';
  return ['imx_mu', 'imx-rproc', 'imx_rpmsg'].find((driver) =>
    machine.list(`${folder}/${driver}`).some((name) => name.startsWith(`${base.toString(16)}.`)),
  );
}

function checkInterrupt({ machine, remote }: HardwareCase, device: UioDevice): Finding[] {
  const check = `${remote.name} interrupt`;
  const text = machine.read('/proc/interrupts');
  if (text === undefined) return [];
  const line = text.split('\n').find((one) => one.trim().split(/\s+/).includes(device.name));
  if (line !== undefined) {
    const count = machine.read(`/sys/class/uio/${device.node}/event`) ?? 'unknown';
    return [ok(check, `line ${line.trim().split(':')[0]}, count ${count}`)];
  }
  const remedy = `see its "interrupts" in the device tree, and dmesg for ${device.name}`;
  return [fail(check, `${describeDevice(device)} has no interrupt`, remedy)];
}

function checkPower({ tree, remote, platform }: HardwareCase, { maps }: UioDevice): Finding[] {
  const needs = socs[platform.soc]?.muNeeds ?? 'clock';
  const base = platform.muBase || (maps[0]?.base ?? 0) + (maps[0]?.offset ?? 0);
  const node = tree.devicesAt(base).find(isForUio);
  if (node === undefined) return [];
  const check = `${remote.name} power`;
  if (isPowered(node, needs)) return [ok(check, `${node.path} has its ${needs}`)];
  const text = `${node.path} has no ${needs}: it may read as zeros, or stop the machine`;
  const remedy =
    needs === 'clock'
      ? 'put it below a simple-pm-bus with its clock, as the overlays do'
      : 'give it its power-domains, as the overlays do';
  return [warn(check, text, remedy)];
}

function checkMemory(about: HardwareCase): Finding[] {
  const { vdevs, vringBase, vringStride, bufferBase, bufferStride } = about.remote.setup;
  return [
    ...checkWindow(about, 'vrings', vringBase, vdevs * vringStride),
    ...checkWindow(about, 'buffers', bufferBase, vdevs * bufferStride),
  ];
}

function checkWindow(about: HardwareCase, what: string, base: number, size: number): Finding[] {
  const { devices, platform, remote, tree } = about;
  const check = `${remote.name} ${what}`;
  const window = `${hex(base)}+${hex(size)}`;
  const device = find(devices, platform.memoryDevice, base, size);
  const isMapped = device !== undefined && covers(device, base, size);
  const findings: Finding[] = [];
  if (isMapped) {
    findings.push(ok(check, `${window} is in ${describeDevice(device)}`));
    about.used.add(device);
  } else if (platform.devMem) {
    const remedy = 'a UIO device for it needs no privilege; see bring-up.md';
    findings.push(warn(check, `${window} is mapped through /dev/mem`, remedy));
  } else {
    findings.push(
      fail(check, `no UIO device maps ${window}; ${describeDevices(devices)}`, overlay),
    );
  }
  return [...findings, ...checkReservation(tree, check, window, base, size)];
}

function checkReservation(
  tree: MachineTree,
  check: string,
  window: string,
  base: number,
  size: number,
): Finding[] {
  if (!tree.isKnown) return [];
  const is = tree.reservation(base, size);
  if (is === 'no-map') return [ok(check, `${window} is reserved with no-map`)];
  const remedy = 'reserve it in /reserved-memory with no-map, as the overlays do';
  if (is === 'none') {
    return [fail(check, `${window} is not reserved: Linux may use it for itself`, remedy)];
  }
  const text = `${window} is reserved without no-map: Linux maps it with caches, beside our mapping without`;
  return [warn(check, text, remedy)];
}

function checkScuMu({ platform, devices, remote, used }: HardwareCase): Finding[] {
  const free = (socs[platform.soc]?.scuMus ?? []).filter(({ isKernels }) => !isKernels);
  if (free.length === 0) return [];
  const check = `${remote.name} SCU MU`;
  if (platform.scuMuBase === 0) {
    const text =
      'none, so that a reset is noticed only when the remote says that it is ready again';
    const remedy = 'apply imx8-scu-mu.dtso if SCFW gives Linux that MU, or set scu_mu_base';
    return [warn(check, text, remedy)];
  }
  const device = find(devices, platform.scuMuDevice, platform.scuMuBase, muBytes);
  const what = hex(platform.scuMuBase);
  if (device !== undefined) {
    used.add(device);
    return [ok(check, `${what} is ${describeDevice(device)}`)];
  }
  const remedy = 'apply imx8-scu-mu.dtso, or remove scu_mu_base';
  return [fail(check, `no UIO device maps ${what}; ${describeDevices(devices)}`, remedy)];
}
