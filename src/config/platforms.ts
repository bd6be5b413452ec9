// SPDX-License-Identifier: Apache-2.0
// Rules for the keys by which a platform finds its hardware.

import type { PathStep } from './origins.ts';
import { hex } from './problems.ts';
import { muBaseOf, soc } from './resolve.ts';
import type { RemoteShape } from './schema.ts';
import type { Complain } from './validate.ts';

/** Which keys mean something to one platform alone. */
export const platformKeys = {
  sim: ['socket'],
  uio: ['mu_device', 'mu_base', 'memory_device', 'scu_mu_device', 'scu_mu_base', 'dev_mem'],
} as const satisfies Record<RemoteShape['platform'], readonly (keyof RemoteShape)[]>;

export function checkPlatform(
  remote: RemoteShape,
  path: readonly PathStep[],
  complain: Complain,
): void {
  for (const [platform, keys] of Object.entries(platformKeys)) {
    if (platform === remote.platform) continue;
    for (const key of keys) {
      if (remote[key] === undefined) continue;
      complain([...path, key], `is for platform ${JSON.stringify(platform)}; remove it`);
    }
  }
  if (remote.platform === 'uio') checkMus(remote, path, complain);
}

function checkMus(remote: RemoteShape, path: readonly PathStep[], complain: Complain): void {
  const base = muBaseOf(remote);
  if (base === undefined && remote.mu_device === undefined && soc(remote.soc) !== undefined) {
    complain(
      [...path, 'mu_base'],
      'is missing: no default is known for this core; say where the registers of its MU are, or the UIO name of the MU as mu_device',
    );
  } else if (base === 0) {
    complain([...path, 'mu_base'], 'is where no MU can be; say where its registers are');
  } else if (base !== undefined && base % 4 !== 0) {
    complain([...path, 'mu_base'], 'must be a multiple of 4: registers have 32 bits');
  }
  checkScuMu(remote, path, complain);
}

function checkScuMu(remote: RemoteShape, path: readonly PathStep[], complain: Complain): void {
  const { scu_mu_base: base, scu_mu_device: device } = remote;
  const known = soc(remote.soc);
  if (known === undefined || (base === undefined && device === undefined)) return;
  const key = [...path, base === undefined ? 'scu_mu_device' : 'scu_mu_base'];
  if (known.scuMus.length === 0) {
    complain(key, `${remote.soc} has no SCFW; remove it`);
    return;
  }
  const free = known.scuMus.filter(({ isKernels }) => !isKernels).map((mu) => hex(mu.base));
  const choice = `it is one of ${free.join(', ')}`;
  if (base === undefined) {
    const rule = 'is missing: SCFW is told by which MU it is called, and knows that by its address';
    complain([...path, 'scu_mu_base'], `${rule}; ${choice}`);
  } else if (known.scuMus.some((mu) => mu.isKernels && mu.base === base)) {
    complain(key, `is the MU by which the kernel itself calls SCFW; ${choice}`);
  } else if (!free.includes(hex(base))) {
    complain(key, `is not a MU of ${remote.soc} that reaches SCFW; ${choice}`);
  }
}
