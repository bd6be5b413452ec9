// SPDX-License-Identifier: Apache-2.0
// What is injected into the bus layer.

import type { SendFds } from './outbox.ts';
import type { DescriptorStream } from './received-fds.ts';

/** The part of a pino logger that is used. */
export interface BusLogger {
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export interface BusOptions {
  /** For connect, authentication and Hello together. Default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** Without it no descriptor can be sent. */
  readonly sendFds?: SendFds | undefined;
  /** Makes the socket, in place of node:net, and receives descriptors. Throws as node:net fails. */
  readonly connectSocket?: ((path: string) => DescriptorStream) | undefined;
  readonly logger?: BusLogger | undefined;
  /** Serial of the first message; 1 unless said otherwise. */
  readonly firstSerial?: number | undefined;
}
