// SPDX-License-Identifier: Apache-2.0
// What the code of all interfaces shares, and the checks that several of them make.

import type { Caller, Callers } from '../../remote/callers.ts';
import type { LinkContext } from '../../remote/context.ts';
import type { Device } from '../../remote/device.ts';
import type { Endpoint, EndpointSpec } from '../../remote/endpoint.ts';
import type { UidQuota } from '../../remote/uid-quota.ts';
import { RpmsgdError } from '../../util/errors.ts';
import type { Access } from './access.ts';
import { refuseWhenStopping } from './error-table.ts';
import type { Streams } from './streams.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface Core {
  readonly isStopping: boolean;
  readonly version: string;
  readonly context: LinkContext;
  readonly callers: Callers;
  readonly access: Access;
  readonly endpointQuota: UidQuota;
  readonly subscriptions: Subscriptions;
  readonly streams: Streams;
  /** Reads the configuration again and applies it. Rejects with what is wrong. */
  reload(): Promise<void>;
}

/** After something was awaited: nothing is made for a client that left, or by a daemon that stops. */
export function recheck(core: Core, caller: Caller): void {
  refuseWhenStopping({ core });
  if (caller.isGone) throw new RpmsgdError('cancelled', 'the caller has left the bus');
}

/** Opens an endpoint that `owner` owns and that counts against its uid. */
export async function openOwned(
  core: Core,
  device: Device,
  owner: Caller,
  spec: Omit<EndpointSpec, 'kind' | 'owner' | 'ownerUid' | 'closed'>,
): Promise<Endpoint> {
  const uid = await core.access.uid(owner);
  recheck(core, owner);
  const giveBack = core.endpointQuota.take(uid, core.context.limits().endpointsPerUid);
  let forgetVanish = () => {};
  const closed = () => {
    giveBack();
    forgetVanish();
  };
  try {
    const endpoint = device.open({ ...spec, kind: 'owned', owner, ownerUid: uid, closed });
    const stop = owner.onVanish(() => device.close(endpoint));
    forgetVanish = () => {
      stop();
    };
    return endpoint;
  } catch (error) {
    giveBack();
    throw error;
  }
}

/** For an owner that an earlier daemon had: its endpoint `id`, which is opened next. */
export function adopt(
  core: Core,
  { sender, uid }: { readonly sender: string; readonly uid: number },
  device: Device,
  id: number,
): Pick<EndpointSpec, 'owner' | 'ownerUid' | 'closed'> {
  const owner = core.callers.expect(sender);
  const giveBack = core.endpointQuota.take(uid, Number.POSITIVE_INFINITY);
  const forgetVanish = owner.onVanish(() => {
    const endpoint = device.endpoint(id);
    if (endpoint !== undefined) device.close(endpoint);
  });
  const closed = () => {
    giveBack();
    forgetVanish();
  };
  return { owner, ownerUid: uid, closed };
}

/**
 * Undefined when the caller may use a group's channels at once; otherwise a promise that rejects with
 * access_denied if it may not at all. Throws when that is known already.
 */
export function checkGroups(
  { access }: Core,
  caller: Caller,
  groups: readonly (string | undefined)[],
): Promise<unknown> | undefined {
  const toAsk: string[] = [];
  for (const group of groups) {
    if (group === undefined) continue;
    const known = access.knownMember(caller, group);
    if (known === false) access.deny(group);
    if (known === undefined) toAsk.push(group);
  }
  if (toAsk.length === 0) return undefined;
  return Promise.all(toAsk.map((group) => access.requireMember(caller, group)));
}
