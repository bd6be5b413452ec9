// SPDX-License-Identifier: Apache-2.0
// The UIO devices of a machine as sysfs shows them.

import { hex } from '../../config/index.ts';
import type { Machine } from './machine.ts';

export interface UioMap {
  /** Of its first page. */
  readonly base: number;
  readonly size: number;
  /** From its first page to what the device has in it. */
  readonly offset: number;
}

export interface UioDevice {
  /** uio0 and so on. */
  readonly node: string;
  readonly name: string;
  readonly maps: readonly UioMap[];
}

const folder = '/sys/class/uio';

export function uioDevices(machine: Machine): UioDevice[] {
  return machine.list(folder).map((node) => {
    const maps = `${folder}/${node}/maps`;
    return {
      node,
      name: machine.read(`${folder}/${node}/name`) ?? '',
      maps: machine.list(maps).map((map) => ({
        base: Number(machine.read(`${maps}/${map}/addr`)),
        size: Number(machine.read(`${maps}/${map}/size`)),
        offset: Number(machine.read(`${maps}/${map}/offset`) ?? 0),
      })),
    };
  });
}

/** Whether one map has all of [base, base + size). */
export function covers({ maps }: UioDevice, base: number, size: number): boolean {
  return maps.some((map) => map.base <= base && base + size <= map.base + map.size);
}

/** As a person would name it: `uio0 (rpmsg-mu)`. */
export function describeDevice({ node, name }: UioDevice): string {
  return `${node} (${name})`;
}

export function describeDevices(devices: readonly UioDevice[]): string {
  if (devices.length === 0) return 'there is no UIO device';
  const each = devices.map((device) => {
    const maps = device.maps.map(({ base, size }) => `${hex(base)}+${hex(size)}`).join(' ');
    return `${describeDevice(device)} ${maps}`;
  });
  return `there are ${each.join(', ')}`;
}
