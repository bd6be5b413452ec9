// SPDX-License-Identifier: Apache-2.0
// What the loader hands to the daemon that it loads.

import type { FirstAct } from './first-act.ts';

export interface Launch {
  readonly firstAct: FirstAct | undefined;
  /** To be called when the start is over. */
  started(): void;
}

declare const launch: Launch | undefined;

/** Undefined where the sources run without the loader. */
export function currentLaunch(): Launch | undefined {
  return typeof launch === 'undefined' ? undefined : launch;
}
