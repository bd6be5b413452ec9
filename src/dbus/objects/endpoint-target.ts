// SPDX-License-Identifier: Apache-2.0
// The target of org.rpmsg.Endpoint's code, and who may call what on it.

import type { Caller } from '../../remote/callers.ts';
import type { Endpoint } from '../../remote/endpoint.ts';
import { RpmsgdError } from '../../util/errors.ts';
import { type Core, checkGroups, recheck } from './core.ts';

export interface EndpointTarget {
  readonly core: Core;
  readonly endpoint: Endpoint;
  readonly path: string;
}

/** Throws RpmsgdError not_owner or access_denied unless `sender` may use the endpoint. */
export async function enter({ core, endpoint }: EndpointTarget, sender: string): Promise<Caller> {
  const caller = core.callers.get(sender);
  endpoint.checkOwner(sender);
  const check = checkGroups(core, caller, [endpoint.group]);
  if (check !== undefined) {
    await check;
    recheck(core, caller);
    checkOpen(endpoint);
  }
  return caller;
}

/** After something was awaited. */
export function checkOpen(endpoint: Endpoint): void {
  if (!endpoint.isClosed) return;
  throw new RpmsgdError(
    'no_such_endpoint',
    `endpoint "${endpoint.spec.name}" was closed meanwhile`,
  );
}
