// SPDX-License-Identifier: Apache-2.0
// AcquireStream of org.rpmsg.Endpoint: a pair of sockets, of which the client gets one end and the
// link thread serves the other.

import { closeSync } from 'node:fs';
import type { StreamOptions } from '../../addon/types.ts';
import type { Caller } from '../../remote/callers.ts';
import type { Endpoint } from '../../remote/endpoint.ts';
import type { EndpointStream } from '../../remote/stream.ts';
import { RpmsgdError } from '../../util/errors.ts';
import type { MethodCall, Variant } from '../index.ts';
import { recheck } from './core.ts';
import { checkOpen, type EndpointTarget, enter } from './endpoint-target.ts';
import { checkChoice, checkRange, readOptions } from './options.ts';

interface Started {
  readonly stream: EndpointStream;
  readonly firstSeq: number;
}

function readStreamOptions(
  endpoint: Endpoint,
  defaultHold: number,
  given: Record<string, Variant>,
): StreamOptions {
  const options = readOptions('AcquireStream', given);
  const mode = checkChoice('mode', options.mode, ['both', 'read', 'write']);
  const framing = checkChoice('framing', options.framing, ['payload', 'header']);
  const onReset = checkChoice('on_reset', options.on_reset, ['drop', 'keep']);
  const most = endpoint.device.mostHeld;
  const hold = options.hold ?? Math.min(defaultHold, most);
  checkRange('hold', hold, most, 'half the slots of the vdev');
  return {
    reads: mode !== 'write',
    writes: mode !== 'read',
    withHeader: framing === 'header',
    zeroLength: options.zero_length ?? false,
    keepOnReset: onReset === 'keep',
    hold,
  };
}

export async function acquireStream(
  target: EndpointTarget,
  call: MethodCall,
  given: Record<string, Variant>,
): Promise<unknown> {
  const { core, endpoint, path } = target;
  const options = readStreamOptions(endpoint, core.context.limits().streamHold, given);
  const caller = await enter(target, call.sender);
  if (!call.canReturnFds) {
    throw new RpmsgdError('not_supported', 'this connection to the bus cannot pass descriptors');
  }
  const uid = await core.access.uid(caller);
  recheck(core, caller);
  checkOpen(endpoint);
  // Who wants no answer would leave a socket that nobody has.
  if (call.noReply) return undefined;
  const holder = core.streams.hold(path, caller.sender, uid);
  let started: Started;
  try {
    started = endpoint.startStream(options, holder);
  } catch (error) {
    holder.ended();
    throw error;
  }
  return await handOver(target, call, caller, started);
}

function serve(endpoint: Endpoint, stream: EndpointStream, fd: number, firstSeq: number): void {
  if (stream.isOver) {
    closeSync(fd);
    return;
  }
  try {
    stream.open(fd, firstSeq);
  } catch {
    endpoint.endStream(); // the client's end tells it
  }
}

/** Answers with the client's end; only once that has left does the link put anything into ours. */
async function handOver(
  { core, endpoint }: EndpointTarget,
  call: MethodCall,
  caller: Caller,
  { stream, firstSeq }: Started,
): Promise<unknown> {
  let ours = -1;
  try {
    const [own, theirs] = core.context.link.packetPair();
    ours = own;
    try {
      await stream.keep(ours);
      recheck(core, caller);
      if (stream.isOver) checkOpen(endpoint);
    } catch (error) {
      closeSync(theirs);
      throw error;
    }
    call.reply(theirs, endpoint.device.mtu);
    call.onceWritten(() => serve(endpoint, stream, ours, firstSeq));
    return undefined;
  } catch (error) {
    if (ours >= 0) closeSync(ours);
    endpoint.endStream();
    throw error;
  }
}
