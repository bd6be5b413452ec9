// SPDX-License-Identifier: Apache-2.0
// Resets of remotes and the daemon's absence, told on standard error by live verbs that show something
// else.

import type { ReceivedSignal } from '../../dbus/index.ts';
import { placeOf } from '../objects.ts';
import type { Change, LiveObjects } from './objects.ts';
import { backText, goneText } from './presence.ts';

/** @param remote the one whose resets count; all if it is undefined */
export function tellOfLives(
  live: LiveObjects,
  tell: (line: string) => void,
  remote?: string,
): void {
  const reset = new Set<string>();
  if (!live.isThere) tell('rpmsgd is not running on this bus: waiting for it');
  let isGone = !live.isThere;
  live.on('gone', () => {
    isGone = true;
    tell(goneText);
  });
  live.on('back', () => {
    if (isGone) tell(backText);
    isGone = false;
  });
  live.on('signal', ({ path, member, args }: ReceivedSignal) => {
    const name = placeOf(path).remote ?? '';
    if (member !== 'ResetNotified' || (remote !== undefined && name !== remote)) return;
    reset.add(name);
    tell(`${name} is reset (${args[1]})`);
  });
  live.on('changed', ({ object, interface: iface, property, to }: Change) => {
    const name = placeOf(object.path).remote ?? '';
    if (iface !== 'Remote' || property !== 'State' || to !== 'attached') return;
    if (reset.delete(name)) tell(`${name} is back`);
  });
}
