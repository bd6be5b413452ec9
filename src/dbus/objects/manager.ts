// SPDX-License-Identifier: Apache-2.0
// org.rpmsg.Manager: the daemon itself.

import definition from '../../../dbus/org.rpmsg.Manager.xml';
import { ConfigError } from '../../config/problems.ts';
import type { Limits } from '../../config/types.ts';
import { RpmsgdError } from '../../util/errors.ts';
import {
  defineInterface,
  type InterfaceHandlers,
  type MethodCall,
  type Variant,
} from '../index.ts';
import { type Core, recheck } from './core.ts';
import { serve } from './error-table.ts';
import { readOptions } from './options.ts';

export interface ManagerTarget {
  readonly core: Core;
}

export const features: readonly string[] = [
  'announce',
  'batch',
  'capture',
  'persistent',
  'stream',
  'subscribe',
  'trace',
];

/** By the names they have in the configuration. */
export function printLimits(limits: Limits): Record<string, number> {
  const snakeCase = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(limits).map(([key, value]) => [snakeCase(key), value]));
}

async function reload({ core }: ManagerTarget, call: MethodCall): Promise<void> {
  const caller = core.callers.get(call.sender);
  await core.access.requirePrivilege(caller, 'Reload');
  try {
    await core.reload();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new RpmsgdError('invalid_argument', error.message, { cause: error });
  }
}

async function capture(
  { core }: ManagerTarget,
  call: MethodCall,
  options: Record<string, Variant>,
): Promise<unknown> {
  const wanted = readOptions('Capture', options);
  const caller = core.callers.get(call.sender);
  await core.access.requirePrivilege(caller, 'Capture');
  if (!call.canReturnFds) {
    throw new RpmsgdError('not_supported', 'this connection to the bus cannot pass descriptors');
  }
  recheck(core, caller);
  // Who wants no answer would leave a pipe that nobody reads.
  if (call.noReply) return undefined;
  call.reply(core.captures.open(caller.sender, wanted));
  return undefined;
}

export const managerHandlers = {
  properties: {
    Version: ({ core }) => core.version,
    Features: () => features,
    Limits: ({ core }) => printLimits(core.context.limits()),
  },
  methods: { Reload: serve(reload), Capture: serve(capture) },
} satisfies InterfaceHandlers<ManagerTarget>;

export const managerInterface = defineInterface<ManagerTarget>(definition, managerHandlers);
