// SPDX-License-Identifier: Apache-2.0
// The endpoints that the configuration wants to be there.

import type { StaticEndpoint } from '../config/types.ts';
import type { Device } from './device.ts';
import type { Endpoint } from './endpoint.ts';
import type { Remote } from './remote.ts';

/** Opens those that are not there yet. Throws RpmsgdError as Device.open. */
export function openStaticEndpoints(remote: Remote, wanted: readonly StaticEndpoint[]): void {
  for (const entry of wanted) {
    const device = remote.devices[entry.vdev];
    if (device === undefined || find(device, entry) !== undefined) continue;
    device.open({ kind: 'static', name: entry.name, local: entry.src, peer: entry.dst });
  }
}

/** Closes those of `old` that are not `wanted` any more, or not so. Resolves when they are gone. */
export async function closeStaticEndpoints(
  remote: Remote,
  old: readonly StaticEndpoint[],
  wanted: readonly StaticEndpoint[],
): Promise<void> {
  const kept = new Set(wanted.map((entry) => keyOf(entry)));
  const closing: Promise<void>[] = [];
  for (const entry of old) {
    if (kept.has(keyOf(entry))) continue;
    const device = remote.devices[entry.vdev];
    const endpoint = device === undefined ? undefined : find(device, entry);
    if (endpoint === undefined) continue;
    closing.push(new Promise((resolve) => endpoint.device.close(endpoint, resolve)));
  }
  await Promise.all(closing);
}

function keyOf({ vdev, name, src, dst }: StaticEndpoint): string {
  return JSON.stringify([vdev, name, src, dst ?? null]);
}

function find(device: Device, { name, src, dst }: StaticEndpoint): Endpoint | undefined {
  for (const endpoint of device.endpoints) {
    const { spec, local } = endpoint;
    const isSame = spec.name === name && local === src && spec.peer === dst;
    if (spec.kind === 'static' && isSame) return endpoint;
  }
  return undefined;
}
