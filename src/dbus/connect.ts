// SPDX-License-Identifier: Apache-2.0
// From an address or a stream to a bus that has said Hello, or an error in bounded time.

import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type SocketAddress, socketAddresses } from './address.ts';
import { Bus } from './bus.ts';
import type { BusOptions } from './bus-types.ts';

const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Connects to 'system', 'session' or a D-Bus address.
 * @throws Error naming the address and what is wrong
 */
export async function connectBus(address: string, options: BusOptions = {}): Promise<Bus> {
  let failure: unknown;
  for (const where of socketAddresses(address)) {
    try {
      return await connectBusStream(await connectSocket(where, options), options);
    } catch (error) {
      failure = error;
    }
  }
  const reason = failure instanceof Error ? failure.message : 'it names no socket';
  throw new Error(`cannot use the bus at '${address}': ${reason}`, { cause: failure });
}

/** Takes over any connected byte stream to a bus. @throws Error */
export async function connectBusStream(stream: Duplex, options: BusOptions = {}): Promise<Bus> {
  const bus = new Bus(stream, options);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const timer = setTimeout(() => {
    bus.destroy(new Error(`the bus did not answer within ${timeoutMs} ms`));
  }, timeoutMs);
  try {
    await bus.start();
  } finally {
    clearTimeout(timer);
  }
  return bus;
}

async function connectSocket(where: SocketAddress, options: BusOptions): Promise<Duplex> {
  if (!('path' in where)) return await connectNet(where);
  if (options.connectSocket !== undefined) return options.connectSocket(where.path);
  try {
    return await connectNet(where);
  } catch (error) {
    throw where.path.startsWith('\0') ? abstractFailure(error as Error) : error;
  }
}

function connectNet(where: SocketAddress): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(where);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

/** Many versions of Node cut abstract names off or pad them, and so miss the bus's socket. */
function abstractFailure(cause: Error): Error {
  const text = `${cause.message}; Node ${process.version} may not reach abstract sockets`;
  return new Error(`${text}, let the bus listen at unix:path=`, { cause });
}
