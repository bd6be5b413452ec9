// SPDX-License-Identifier: Apache-2.0
// Every service of NXP's that this program knows, and what its packets are.

import { NxpType } from './head.ts';
import type { NxpCommand, NxpService } from './service.ts';
import { audio } from './services/audio.ts';
import { gpio } from './services/gpio.ts';
import { i2c } from './services/i2c.ts';
import { key } from './services/key.ts';
import { lifeCycle } from './services/life-cycle.ts';
import { pmic } from './services/pmic.ts';
import { rtc } from './services/rtc.ts';
import { sensor } from './services/sensor.ts';

export const nxpServices: readonly NxpService[] = [
  lifeCycle,
  pmic,
  audio,
  key,
  gpio,
  rtc,
  sensor,
  i2c,
];

/** Undefined for a category that is none of ours: vendors have their own. */
export function serviceOf(category: number): NxpService | undefined {
  return nxpServices.find((service) => service.category === category);
}

/** The command that a packet of this type and number belongs to. */
export function commandOf(
  service: NxpService,
  type: number,
  number: number,
): NxpCommand | undefined {
  if (type > NxpType.notification) return undefined;
  const isNotification = type === NxpType.notification;
  return service.commands.find((command) => {
    return command.number === number && (command.kind !== 'request') === isNotification;
  });
}
