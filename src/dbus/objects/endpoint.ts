// SPDX-License-Identifier: Apache-2.0
// org.rpmsg.Endpoint: what every endpoint is, how it is received from, and how it ends.

import definition from '../../../dbus/org.rpmsg.Endpoint.xml';
import type { ReceivedMessage } from '../../addon/types.ts';
import type { ReceiveRequest } from '../../remote/receivers.ts';
import { endpointStats } from '../../remote/stats.ts';
import { anyAddress } from '../../rpmsg/addresses.ts';
import { RpmsgdError } from '../../util/errors.ts';
import {
  defineInterface,
  type InterfaceHandlers,
  type MethodCall,
  type Variant,
} from '../index.ts';
import { recheck } from './core.ts';
import { batchBodyBytes, sendBatch, sendToAddress, sendToPeer } from './endpoint-send.ts';
import { acquireStream } from './endpoint-stream.ts';
import { checkOpen, type EndpointTarget, enter } from './endpoint-target.ts';
import { serve } from './error-table.ts';
import { checkRange, readOptions } from './options.ts';

/** The five fields, as Receive and MessageReceived have them. */
export function messageFields(message: ReceivedMessage): [number, number, number, bigint, Buffer] {
  const { seq, source, generation, timeNs, data } = message;
  return [seq, source, generation, timeNs, data];
}

async function receive(
  target: EndpointTarget,
  call: MethodCall,
  max: number,
  timeoutMs: number,
): Promise<unknown> {
  const caller = await enter(target, call.sender);
  // Who wants no answer would only lose messages.
  if (call.noReply) return undefined;
  const { delivery } = target.endpoint;
  const { receivesPerSender } = target.core.context.limits();
  return new Promise((resolve, reject) => {
    const done: ReceiveRequest['done'] = (result, leave) => {
      if (result instanceof RpmsgdError) {
        reject(result);
        return;
      }
      call.reply(result.messages.map(messageFields), result.dropped);
      call.onceLeaving(leave.begin);
      call.onceWritten(leave.end);
      resolve(undefined);
    };
    delivery.receive({ caller, max, timeoutMs, done }, receivesPerSender);
  });
}

async function subscribe(
  target: EndpointTarget,
  call: MethodCall,
  options: Record<string, Variant>,
): Promise<number> {
  const { core, endpoint, path } = target;
  const limits = core.context.limits();
  const { ack = 'auto', window = limits.window } = readOptions('Subscribe', options);
  if (ack !== 'auto' && ack !== 'manual') {
    throw new RpmsgdError('invalid_argument', `option 'ack' is '${ack}'; it is 'auto' or 'manual'`);
  }
  checkRange('window', window, limits.windowMax, 'window_max');
  const caller = await enter(target, call.sender);
  const uid = await core.access.uid(caller);
  recheck(core, caller);
  checkOpen(endpoint);
  // The answer before the first signal.
  core.subscriptions.start(endpoint, path, { caller, uid, window, ack }, () => call.reply(window));
  return window;
}

async function ack(target: EndpointTarget, call: MethodCall, seq: bigint): Promise<void> {
  const caller = await enter(target, call.sender);
  const last = BigInt(Number.MAX_SAFE_INTEGER);
  target.endpoint.delivery.acknowledge(caller, Number(seq < last ? seq : last));
}

async function unsubscribe(target: EndpointTarget, call: MethodCall): Promise<void> {
  const caller = await enter(target, call.sender);
  if (target.endpoint.delivery.unsubscribe(caller)) return;
  throw new RpmsgdError('invalid_argument', 'this client is not subscribed');
}

async function close({ core, endpoint }: EndpointTarget, call: MethodCall): Promise<void> {
  const { kind, owner, name } = endpoint.spec;
  if (kind === 'default') {
    throw new RpmsgdError('not_supported', `the default endpoint of channel "${name}" stays`);
  }
  if (kind === 'static') {
    throw new RpmsgdError(
      'not_supported',
      `endpoint "${name}" is the configuration's; remove it there and Reload`,
    );
  }
  if (owner?.sender !== call.sender) {
    const caller = core.callers.get(call.sender);
    if (!(await core.access.isPrivileged(caller))) {
      if (owner !== undefined) endpoint.checkOwner(call.sender);
      await core.access.requirePrivilege(caller, 'Close of a persistent endpoint');
    }
    recheck(core, caller);
  }
  await new Promise<void>((resolve) => {
    endpoint.device.close(endpoint, resolve);
  });
}

export const endpointHandlers = {
  properties: {
    Name: ({ endpoint }) => endpoint.spec.name,
    LocalAddress: ({ endpoint }) => endpoint.local,
    RemoteAddress: ({ endpoint }) => endpoint.peer ?? anyAddress,
    Owner: ({ endpoint }) => endpoint.spec.owner?.sender ?? '',
    Persistent: ({ endpoint }) => endpoint.spec.owner === undefined,
    Connected: ({ endpoint }) => endpoint.isConnected,
    Streaming: ({ endpoint }) => endpoint.stream !== undefined,
    Mtu: ({ endpoint }) => endpoint.device.mtu,
    Stats: ({ endpoint }) => endpointStats(endpoint),
  },
  methods: {
    SendTo: serve(sendToAddress(true)),
    TrySendTo: serve(sendToAddress(false)),
    SendBatch: serve(sendBatch),
    Receive: serve(receive),
    Subscribe: serve(subscribe),
    Ack: serve(ack),
    Unsubscribe: serve(unsubscribe),
    AcquireStream: serve(acquireStream),
    Close: serve(close),
  },
  rawMethods: { Send: sendToPeer(true), TrySend: sendToPeer(false) },
  maxBodyBytes: { SendBatch: batchBodyBytes },
} satisfies InterfaceHandlers<EndpointTarget>;

export const endpointInterface = defineInterface<EndpointTarget>(definition, endpointHandlers);
