// SPDX-License-Identifier: Apache-2.0
// What a configuration asks for legally but in vain.

import type { Config } from '../config/index.ts';
import { noRemoteAdvice } from './status.ts';

/** Sentences for the log at start. */
export function warningsAbout({ remotes, link }: Config): string[] {
  const inVain = [
    ...(link.busyPollUs > 0 ? ['link.busy_poll_us'] : []),
    ...remotes.flatMap(({ name, lossless, partition }) => [
      ...(lossless.length > 0 ? [`remote "${name}".lossless`] : []),
      ...(partition === 'auto' ? [] : [`remote "${name}".partition`]),
    ]),
  ];
  return [
    ...(remotes.length === 0 ? [noRemoteAdvice] : []),
    ...inVain.map((key) => `${key} has no effect in this version`),
  ];
}
