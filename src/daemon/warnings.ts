// SPDX-License-Identifier: Apache-2.0
// What a configuration asks for legally, and most likely not on purpose, or at a risk.

import type { UioSetup } from '../addon/types.ts';
import { type Config, configDirectories, lookedFor } from '../config/index.ts';
import { hasScfw } from '../config/socs.ts';
import { noRemoteAdvice } from './status.ts';

/** A sentence for the log at start, and what goes with it. */
export interface Warning {
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export function warningsAbout(config: Config): Warning[] {
  const { remotes } = config;
  return [
    ...(remotes.length === 0 ? [noRemote(config)] : []),
    ...remotes.flatMap(({ name, setup: { platform } }) =>
      platform.kind === 'uio' ? warningsAboutUio(name, platform) : [],
    ),
  ];
}

function plain(text: string): Warning {
  return { text, fields: {} };
}

/** Says where a remote was looked for in vain, and for what. */
function noRemote({ files, deviceTree }: Config): Warning {
  const read = files.length === 0 ? configDirectories : files;
  const tree = deviceTree === undefined ? 'not there' : `${deviceTree}, for ${lookedFor}`;
  return { text: noRemoteAdvice, fields: { files: read, deviceTree: tree } };
}

function warningsAboutUio(name: string, { devMem, scuMuBase, soc }: UioSetup): Warning[] {
  const devMemRisk = 'is on: this process may map any memory; a UIO device for it is safer';
  const lateResets = 'resets are noticed only when the remote says that it is ready again';
  const isDeaf = hasScfw(soc) && scuMuBase === 0;
  return [
    ...(devMem ? [plain(`remote "${name}".dev_mem ${devMemRisk}`)] : []),
    ...(isDeaf ? [plain(`remote "${name}" has no scu_mu_base: ${lateResets}`)] : []),
  ];
}
