// SPDX-License-Identifier: Apache-2.0
// What the code of all interfaces shares, and the checks that several of them make.

import type { Caller, Callers } from '../../remote/callers.ts';
import type { Captures } from '../../remote/captures.ts';
import type { LinkContext } from '../../remote/context.ts';
import type { Device } from '../../remote/device.ts';
import type { Endpoint, EndpointSpec } from '../../remote/endpoint.ts';
import type { UidQuota } from '../../remote/uid-quota.ts';
import type { Terminals } from '../../tty/terminals.ts';
import { RpmsgdError } from '../../util/errors.ts';
import type { Access } from './access.ts';
import { refuseWhenStopping } from './error-table.ts';
import { Ownership } from './ownership.ts';
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
  readonly terminals: Terminals;
  readonly captures: Captures;
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
  spec: Omit<EndpointSpec, 'kind' | 'owner' | 'ownerUid' | 'ownership'>,
): Promise<Endpoint> {
  const uid = await core.access.uid(owner);
  recheck(core, owner);
  const { name, local, peer, channel, announce = false, rxQueue } = spec;
  const { endpointsPerUid } = core.context.limits();
  const ownership = new Ownership(core.endpointQuota, endpointsPerUid, owner, uid, device);
  try {
    // Field by field: endpoints made by spreading have a hidden class each.
    const endpoint = device.open({
      kind: 'owned',
      name,
      local,
      peer,
      channel,
      owner,
      ownerUid: uid,
      announce,
      rxQueue,
      ownership,
    });
    ownership.id = endpoint.id;
    return endpoint;
  } catch (error) {
    ownership.ended();
    throw error;
  }
}

/** For an owner that an earlier daemon had: its endpoint `id`, which is opened next. */
export function adopt(
  core: Core,
  { sender, uid }: { readonly sender: string; readonly uid: number },
  device: Device,
  id: number,
): Pick<EndpointSpec, 'owner' | 'ownerUid' | 'ownership'> {
  const owner = core.callers.expect(sender);
  const ownership = new Ownership(core.endpointQuota, Number.POSITIVE_INFINITY, owner, uid, device);
  ownership.id = id;
  return { owner, ownerUid: uid, ownership };
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
