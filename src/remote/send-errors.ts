// SPDX-License-Identifier: Apache-2.0
// Why a send failed, in words for whoever called.

import { printAddress } from '../rpmsg/addresses.ts';
import { type ErrorCode, RpmsgdError } from '../util/errors.ts';
import type { Endpoint } from './endpoint.ts';

type Explain = (endpoint: Endpoint, timeoutMs: number) => string;

const explanations: Partial<Record<ErrorCode, Explain>> = {
  would_block: () => 'no transmit buffer is free, or others wait for one; try again or use Send',
  timed_out: (_endpoint, timeoutMs) =>
    `no transmit buffer came free within ${timeoutMs} ms (limit send_timeout_ms); the remote does not consume`,
  not_connected: ({ spec }) =>
    spec.channel === undefined
      ? 'there is no peer address yet; use SendTo, or wait for the peer to send first'
      : `channel "${spec.name}" is withdrawn; wait for Connected`,
  remote_down: ({ device }) =>
    `vdev ${device.index} of ${device.remote.name} is down; wait for Connected`,
  remote_reset: ({ device }) =>
    `${device.remote.name} was reset before the message was sent; wait for Connected`,
  shutting_down: () => 'the daemon is stopping',
  faulted: ({ device }) =>
    `vdev ${device.index} of ${device.remote.name} has broken the ring's rules; only its restart or Reinitialize ends this`,
  no_such_endpoint: ({ local }) => `the endpoint at ${printAddress(local)} was closed meanwhile`,
  no_such_address: () => '0xffffffff is no address that could be sent to',
  quota_exceeded: () =>
    'too many sends wait for a buffer already (limits sends_per_sender, sends_per_endpoint); wait for replies',
};

export function sendError(code: ErrorCode, endpoint: Endpoint, timeoutMs: number): RpmsgdError {
  const explain = explanations[code];
  const message = explain?.(endpoint, timeoutMs) ?? `the message could not be sent: ${code}`;
  return new RpmsgdError(code, message);
}
