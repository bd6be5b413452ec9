// SPDX-License-Identifier: Apache-2.0
// org.rpmsg.Remote: one M core.

import definition from '../../../dbus/org.rpmsg.Remote.xml';
import { reinitialize } from '../../remote/reinitialize.ts';
import type { Remote } from '../../remote/remote.ts';
import { defineInterface, type InterfaceHandlers, type MethodCall } from '../index.ts';
import { type Core, recheck } from './core.ts';
import { serve } from './error-table.ts';

export interface RemoteTarget {
  readonly core: Core;
  readonly remote: Remote;
}

async function startAfresh({ core, remote }: RemoteTarget, call: MethodCall): Promise<void> {
  const caller = core.callers.get(call.sender);
  await core.access.requirePrivilege(caller, 'Reinitialize');
  recheck(core, caller);
  core.context.log.info({ remote: remote.name, by: call.sender }, 'reinitialize');
  await reinitialize(core.context, remote, () => core.isStopping);
}

function readTrace(
  { core, remote }: RemoteTarget,
  _call: MethodCall,
  offset: bigint,
  max: number,
): [Buffer, number] {
  // Beyond what a number holds is beyond every buffer: the text does not reach so far.
  const from = Number(offset > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : offset);
  const { data, nextOffset } = core.context.link.readTrace(remote.index, from, max);
  return [data, nextOffset];
}

export const remoteHandlers = {
  properties: {
    Name: ({ remote }) => remote.name,
    State: ({ remote }) => remote.state,
    Generation: ({ remote }) => remote.generation,
    ResetCount: ({ remote }) => remote.resetCount,
    LastReset: ({ remote }) => [remote.lastReset.timeUs, remote.lastReset.cause],
    Partition: ({ remote }) => remote.partition,
    Platform: ({ remote }) => remote.config.setup.platform.kind,
    LastError: ({ remote }) => remote.lastError,
  },
  methods: {
    Reinitialize: serve(startAfresh),
    ReadTrace: serve(readTrace),
  },
} satisfies InterfaceHandlers<RemoteTarget>;

export const remoteInterface = defineInterface<RemoteTarget>(definition, remoteHandlers);
