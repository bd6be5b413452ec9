// SPDX-License-Identifier: Apache-2.0
// Fills in what the files leave out: limits, ring geometry, the windows of a SoC's cores.

import type { SimSetup, UioSetup } from '../addon/types.ts';
import type { RemoteShape } from './schema.ts';
import { type ScuMu, type Soc, type SocCore, socs } from './socs.ts';
import type { LinkConfig, RemoteConfig, StaticEndpoint } from './types.ts';

/** Ring geometry of every RPMsg-Lite port towards an A core (rpmsg_platform.h). */
export const vringDefaults = { stride: 0x10000, vring1Offset: 0x8000, align: 0x1000 } as const;

export const linkDefaults: LinkConfig = { busyPollUs: 0, realtimePriority: 0 };

const remoteDefaults = {
  vdevs: 1,
  descriptors: 256,
  bufferBytes: 512,
  slots: 1024,
  readyWaitMs: 50,
} as const;

/** The place of a resource table in bytes, unless told otherwise: what device trees give it. */
export const tablePlaceBytes = 0x1000;

/** Where `rpmsg-soc` listens unless told otherwise. */
export const defaultSocket = '/run/rpmsg/soc.sock';

/** Receive half and transmit half of one vdev's buffers, in bytes. */
export function bufferBytesPerVdev(remote: RemoteShape): number {
  const count = remote.descriptors ?? remoteDefaults.descriptors;
  return 2 * count * (remote.buffer_bytes ?? remoteDefaults.bufferBytes);
}

export function vdevsOf(remote: RemoteShape): number {
  return remote.vdevs ?? remoteDefaults.vdevs;
}

/** Which core this remote is: said outright, or its name is a core's, or the SoC has only one. */
export function coreOf(remote: RemoteShape): string | undefined {
  if (remote.core !== undefined) return remote.core;
  const cores = Object.keys(soc(remote.soc)?.cores ?? {});
  if (cores.includes(remote.name)) return remote.name;
  return cores.length === 1 ? cores[0] : undefined;
}

export function soc(name: string): Soc | undefined {
  return Object.hasOwn(socs, name) ? socs[name] : undefined;
}

function knownCore(remote: RemoteShape): SocCore | undefined {
  return soc(remote.soc)?.cores[coreOf(remote) ?? ''];
}

/** The MU's registers as given, else those of the core; not guessed where the MU has a name. */
export function muBaseOf(remote: RemoteShape): number | undefined {
  if (remote.mu_base !== undefined) return remote.mu_base;
  return remote.mu_device === undefined ? knownCore(remote)?.muBase : undefined;
}

/** The MU of SCFW that a remote names by its address; undefined where SCFW is not asked. */
export function scuMuOf(remote: RemoteShape): ScuMu | undefined {
  return soc(remote.soc)?.scuMus.find(({ base }) => base === remote.scu_mu_base);
}

/** What two remotes may not share: one of hardware, or one simulated board behind its socket. */
export function boardOf(remote: RemoteShape): string {
  return remote.platform === 'sim' ? (remote.socket ?? defaultSocket) : 'uio';
}

/** Bases and sizes as given, else those of the core; undefined where neither says. */
export function windowsOf(remote: RemoteShape) {
  const known = knownCore(remote);
  const vdevs = vdevsOf(remote);
  const stride = remote.vrings?.stride ?? vringDefaults.stride;
  return {
    vringBase: remote.vrings?.base ?? known?.vringBase,
    vringSize: remote.vrings?.size ?? vdevs * stride,
    vringStride: stride,
    vring1Offset: remote.vrings?.vring1_offset ?? vringDefaults.vring1Offset,
    bufferBase: remote.buffers?.base ?? known?.bufferBase,
    bufferSize: remote.buffers?.size ?? vdevs * bufferBytesPerVdev(remote),
  };
}

/** The remote as the link takes it. Everything was checked before. */
export function resolveRemote(remote: RemoteShape): RemoteConfig {
  const windows = windowsOf(remote);
  return {
    name: remote.name,
    soc: remote.soc,
    partition: remote.partition ?? 'auto',
    lossless: remote.lossless ?? [],
    vringSize: windows.vringSize,
    bufferSize: windows.bufferSize,
    setup: {
      name: remote.name,
      platform: remote.platform === 'sim' ? simSetup(remote) : uioSetup(remote),
      vdevs: vdevsOf(remote),
      vringBase: windows.vringBase ?? 0,
      vringStride: windows.vringStride,
      vring1Offset: windows.vring1Offset,
      bufferBase: windows.bufferBase ?? 0,
      bufferStride: bufferBytesPerVdev(remote),
      ...tableOf(remote),
      descriptors: remote.descriptors ?? remoteDefaults.descriptors,
      align: vringDefaults.align,
      bufferBytes: remote.buffer_bytes ?? remoteDefaults.bufferBytes,
      slots: remote.slots ?? remoteDefaults.slots,
      readyWaitMs: remote.ready_wait_ms ?? remoteDefaults.readyWaitMs,
      partition: typeof remote.partition === 'number' ? remote.partition : -1,
      losslessVdevs: (remote.lossless ?? []).reduce((bits, vdev) => bits | (1 << vdev), 0),
    },
    endpoints: (remote.endpoint ?? []).map(resolveEndpoint),
  };
}

function simSetup(remote: RemoteShape): SimSetup {
  return {
    kind: 'sim',
    socket: remote.socket ?? defaultSocket,
    core: coreOf(remote) ?? remote.name,
    soc: remote.soc,
  };
}

function uioSetup(remote: RemoteShape): UioSetup {
  const known = soc(remote.soc);
  const scuMu = scuMuOf(remote);
  return {
    kind: 'uio',
    core: coreOf(remote) ?? remote.name,
    soc: remote.soc,
    muGeneration: known?.muGeneration ?? 'v1',
    maxVdevs: known?.maxVdevs ?? 1,
    muDevice: remote.mu_device ?? '',
    muBase: muBaseOf(remote) ?? 0,
    memoryDevice: remote.memory_device ?? '',
    scuMuDevice: scuMu === undefined ? '' : (remote.scu_mu_device ?? ''),
    scuMuBase: scuMu?.base ?? 0,
    scuMuResource: scuMu?.resource ?? 0,
    devMem: remote.dev_mem ?? false,
  };
}

function tableOf({ resource_table: table }: RemoteShape) {
  if (table === undefined) return { tableBase: 0, tableBytes: 0 };
  return { tableBase: table.base, tableBytes: table.size ?? tablePlaceBytes };
}

function resolveEndpoint(endpoint: NonNullable<RemoteShape['endpoint']>[number]): StaticEndpoint {
  return { vdev: endpoint.vdev, name: endpoint.name, src: endpoint.src, dst: endpoint.dst };
}
