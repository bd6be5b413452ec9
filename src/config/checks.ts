// SPDX-License-Identifier: Apache-2.0
// Rules that concern more than one key: what a SoC can do, names that must differ, endpoints that
// must have a vdev.

import type { PathStep } from './origins.ts';
import { checkPlatform } from './platforms.ts';
import { checkRegions } from './regions.ts';
import { boardOf, coreOf, soc, vdevsOf } from './resolve.ts';
import type { FileShape, RemoteShape } from './schema.ts';
import { maxVdevs, socs } from './socs.ts';
import { defaultLimits } from './types.ts';
import type { Complain } from './validate.ts';

export function checkConfig(shape: FileShape, complain: Complain): void {
  const remotes = shape.remote ?? [];
  for (const [index, remote] of remotes.entries()) checkRemote(remote, index, complain);
  checkCoresDiffer(remotes, complain);
  // Sizes follow from the number of vdevs: a wrong number is complained about once, not thrice.
  checkRegions(remotes.filter(hasLegalVdevs).length === remotes.length ? remotes : [], complain);
  checkLimits(shape, complain);
}

function hasLegalVdevs(remote: RemoteShape): boolean {
  return vdevsOf(remote) >= 1 && vdevsOf(remote) <= maxVdevs;
}

function checkRemote(remote: RemoteShape, index: number, complain: Complain): void {
  const path: PathStep[] = ['remote', index];
  const known = soc(remote.soc);
  if (known === undefined) {
    const names = Object.keys(socs).join(', ');
    complain([...path, 'soc'], `is not a SoC that is known; it is one of ${names}`);
  }
  checkVdevs(remote, path, complain);
  const cores = Object.keys(known?.cores ?? {});
  if (known !== undefined && coreOf(remote) === undefined) {
    complain([...path, 'core'], `is missing: ${remote.soc} has ${cores.join(' and ')}; say which`);
  }
  const descriptors = remote.descriptors ?? 256;
  if ((descriptors & (descriptors - 1)) !== 0) {
    complain([...path, 'descriptors'], 'must be a power of two (virtio 1.2 §2.7); 256 is usual');
  }
  if ((remote.buffer_bytes ?? 512) % 4 !== 0) {
    complain([...path, 'buffer_bytes'], 'must be a multiple of 4; 512 is usual');
  }
  checkPlatform(remote, path, complain);
  checkLossless(remote, path, complain);
  checkEndpoints(remote, path, complain);
}

function checkVdevs(remote: RemoteShape, path: readonly PathStep[], complain: Complain): void {
  const vdevs = vdevsOf(remote);
  const limit = soc(remote.soc)?.maxVdevs ?? maxVdevs;
  if (vdevs < 1) {
    complain([...path, 'vdevs'], 'a remote has at least 1 vdev; raise it, or remove the remote');
  } else if (vdevs > maxVdevs) {
    complain([...path, 'vdevs'], `a remote has at most ${maxVdevs} vdevs; lower it`);
  } else if (vdevs > limit) {
    complain(
      [...path, 'vdevs'],
      `the firmware of ${remote.soc} can address ${limit} vdev${limit > 1 ? 's' : ''} at most; lower it to ${limit}`,
    );
  }
}

function checkLossless(remote: RemoteShape, path: readonly PathStep[], complain: Complain): void {
  for (const [index, vdev] of (remote.lossless ?? []).entries()) {
    if (vdev < vdevsOf(remote)) continue;
    complain([...path, 'lossless', index], `${noSuchVdev(remote)}; remove it`);
  }
}

function noSuchVdev(remote: RemoteShape): string {
  return `${remote.name} has vdevs 0 to ${vdevsOf(remote) - 1} only`;
}

function checkEndpoints(remote: RemoteShape, path: readonly PathStep[], complain: Complain): void {
  const taken = new Map<string, string>();
  for (const [index, { vdev, name, src }] of (remote.endpoint ?? []).entries()) {
    const here = [...path, 'endpoint', index];
    if (vdev >= vdevsOf(remote)) {
      complain([...here, 'vdev'], `${noSuchVdev(remote)}; choose one of them or raise vdevs`);
    }
    const address = `${vdev}:${src}`;
    const other = taken.get(address);
    if (other !== undefined) {
      complain(
        [...here, 'src'],
        `endpoint ${JSON.stringify(other)} on vdev ${vdev} has this address already; choose another`,
      );
    }
    taken.set(address, name);
  }
}

function checkCoresDiffer(remotes: readonly RemoteShape[], complain: Complain): void {
  const taken = new Map<string, string>();
  for (const [index, remote] of remotes.entries()) {
    const core = coreOf(remote);
    if (core === undefined) continue;
    const id = JSON.stringify([boardOf(remote), core]);
    const other = taken.get(id);
    if (other !== undefined) {
      complain(
        ['remote', index, 'core'],
        `core ${core} is remote ${JSON.stringify(other)} already; one core has one remote`,
      );
    }
    taken.set(id, remote.name);
  }
}

function checkLimits({ limits }: FileShape, complain: Complain): void {
  const pairs = [
    [
      'rx_queue',
      limits?.rx_queue ?? defaultLimits.rxQueue,
      'rx_queue_max',
      limits?.rx_queue_max ?? defaultLimits.rxQueueMax,
    ],
    [
      'window',
      limits?.window ?? defaultLimits.window,
      'window_max',
      limits?.window_max ?? defaultLimits.windowMax,
    ],
  ] as const;
  for (const [key, value, maxKey, most] of pairs) {
    if (value <= most) continue;
    complain(['limits', key], `is above ${maxKey}, which is ${most}; lower it or raise ${maxKey}`);
  }
}
