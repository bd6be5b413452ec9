// SPDX-License-Identifier: Apache-2.0
// An endpoint's stream as the daemon hands it out: a socket.

import { PacketSocket } from '../../addon/packet-socket.ts';
import { type Bus, ReceivedFd, Variant } from '../../dbus/index.ts';
import { CliStatus, RpmsgctlError } from '../errors.ts';
import { serviceName } from '../objects.ts';
import type { StreamRequest } from './settings.ts';

const headerBytes = 16;
/** In each direction. What is read and printed later is not dropped meanwhile. */
const keptMessages = 1024;

/** @throws BusError as Endpoint.AcquireStream */
export async function acquireStream(
  bus: Bus,
  path: string,
  request: StreamRequest,
): Promise<PacketSocket> {
  const options = {
    mode: new Variant('s', request.mode),
    framing: new Variant('s', request.framing),
    zero_length: new Variant('b', request.hasEmptyMessages),
    on_reset: new Variant('s', request.onReset),
    ...(request.hold === undefined ? {} : { hold: new Variant('u', request.hold) }),
  };
  const iface = `${serviceName}.Endpoint`;
  const args = [options];
  const call = bus.call(serviceName, path, iface, 'AcquireStream', 'a{sv}', args, {
    wantFds: true,
  });
  const [stream, mtu] = await call;
  if (!(stream instanceof ReceivedFd) || typeof mtu !== 'number') {
    throw new RpmsgctlError(CliStatus.failure, 'the daemon answered without a socket');
  }
  return new PacketSocket(stream.take(), {
    maxPacketBytes: request.framing === 'header' ? mtu + headerBytes : mtu,
    hasEmptyPackets: request.hasEmptyMessages,
    highWaterMark: keptMessages,
  });
}
