// SPDX-License-Identifier: Apache-2.0
// The sending methods of org.rpmsg.Endpoint. What needs no waiting is answered without a promise.

import type { Caller } from '../../remote/callers.ts';
import type { SendDone } from '../../remote/endpoint.ts';
import { RpmsgdError } from '../../util/errors.ts';
import type { MethodCall, RawMethodHandler } from '../index.ts';
import { checkGroups, recheck } from './core.ts';
import { checkOpen, type EndpointTarget } from './endpoint-target.ts';
import { refuseWhenStopping, toBusError } from './error-table.ts';

/** Bytes that the body of SendBatch may have. */
export const batchBodyBytes = 256 * 1024;

/** Send and TrySend: to the peer. */
export function sendToPeer(shallWait: boolean): RawMethodHandler<EndpointTarget> {
  return (target, call, payload) => {
    start(target, call, payload, undefined, shallWait, (error) => {
      if (error === undefined) call.replyEmpty();
      else call.fail(toBusError(error));
    });
  };
}

/** SendTo and TrySendTo. */
export function sendToAddress(shallWait: boolean) {
  return (target: EndpointTarget, call: MethodCall, data: Buffer, address: number): Promise<void> =>
    new Promise((resolve, reject) => {
      start(target, call, data, address, shallWait, (error) => {
        if (error === undefined) resolve();
        else reject(toBusError(error));
      });
    });
}

export async function sendBatch(
  target: EndpointTarget,
  call: MethodCall,
  messages: readonly Buffer[],
): Promise<number> {
  const { core, endpoint } = target;
  try {
    const caller = core.callers.get(call.sender);
    endpoint.checkOwner(call.sender);
    endpoint.checkSendable();
    const check = checkAddress(target, caller, endpoint.peer);
    if (check === undefined) return await endpoint.sendBatch(messages, caller);
    const copies = messages.map((message) => Buffer.from(message));
    await check;
    recheck(core, caller);
    checkOpen(endpoint);
    return await endpoint.sendBatch(copies, caller);
  } catch (error) {
    if (call.noReply) endpoint.unreported++;
    throw error;
  }
}

/** `done` exactly once, at once or later, unless the caller leaves the bus before. */
function start(
  target: EndpointTarget,
  call: MethodCall,
  data: Buffer,
  destination: number | undefined,
  shallWait: boolean,
  done: SendDone,
): void {
  const { core, endpoint } = target;
  const finish: SendDone = (error) => {
    if (error !== undefined && call.noReply) endpoint.unreported++;
    done(error);
  };
  const fail = (error: unknown) => finish(asOutcome(error));
  try {
    refuseWhenStopping(target);
    endpoint.checkOwner(call.sender);
    endpoint.checkSendable();
    const caller = core.callers.get(call.sender);
    const check = checkAddress(target, caller, destination ?? endpoint.peer);
    if (check === undefined) {
      endpoint.send(data, destination, caller, shallWait, finish);
      return;
    }
    // Sends of one caller wait for one and the same answer, so they stay in order.
    const copy = Buffer.from(data);
    check
      .then(() => {
        recheck(core, caller);
        checkOpen(endpoint);
        endpoint.send(copy, destination, caller, shallWait, finish);
      })
      .catch(fail);
  } catch (error) {
    fail(error);
  }
}

function checkAddress({ core, endpoint }: EndpointTarget, caller: Caller, address?: number) {
  const { group, device } = endpoint;
  const target = address === undefined ? undefined : device.groupOf(address);
  if (group === undefined && target === undefined) return undefined;
  return checkGroups(core, caller, [group, target]);
}

function asOutcome(error: unknown): RpmsgdError {
  if (error instanceof RpmsgdError) return error;
  return new RpmsgdError('os', 'the send failed', { cause: error });
}
