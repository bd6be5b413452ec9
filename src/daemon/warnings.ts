// SPDX-License-Identifier: Apache-2.0
// What a configuration asks for legally, and most likely not on purpose.

import type { UioSetup } from '../addon/types.ts';
import type { Config } from '../config/index.ts';
import { hasScfw } from '../config/socs.ts';
import { noRemoteAdvice } from './status.ts';

/** Sentences for the log at start. */
export function warningsAbout({ remotes }: Config): string[] {
  return [
    ...(remotes.length === 0 ? [noRemoteAdvice] : []),
    ...remotes.flatMap(({ name, setup: { platform } }) =>
      platform.kind === 'uio' ? warningsAboutUio(name, platform) : [],
    ),
  ];
}

function warningsAboutUio(name: string, { devMem, scuMuBase, soc }: UioSetup): string[] {
  const devMemRisk = 'is on: this process may map any memory; a UIO device for it is safer';
  const lateResets = 'resets are noticed only when the remote says that it is ready again';
  return [
    ...(devMem ? [`remote "${name}".dev_mem ${devMemRisk}`] : []),
    ...(hasScfw(soc) && scuMuBase === 0
      ? [`remote "${name}" has no scu_mu_base: ${lateResets}`]
      : []),
  ];
}
