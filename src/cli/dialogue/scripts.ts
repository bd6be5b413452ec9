// SPDX-License-Identifier: Apache-2.0
// Who says what on channels that are known by their name. A script ends when all of it was said.

import { CliStatus, RpmsgctlError } from '../errors.ts';
import { describePayload } from '../payload/describe.ts';
import type { Peer } from './peer.ts';

export interface ScriptOptions {
  readonly timeoutMs: number;
  /** Told of each message, as it is sent or has come. */
  readonly told?: (who: 'host' | 'remote', data: Buffer) => void;
}

const lastCount = 100;
const greeting = Buffer.from('hello world!');
const goodbye = Buffer.from('goodbye!');

export const pingPongChannel = 'rpmsg-openamp-demo-channel';
export const clientSampleChannel = 'rpmsg-client-sample';

/** "hello world!", a 32-bit counter back and forth past 100, "goodbye!". Resolves with the answers. */
export async function pingPong(peer: Peer, options: ScriptOptions): Promise<number[]> {
  const answers: number[] = [];
  await say(peer, greeting, options);
  for (let value = 0; value <= lastCount; ) {
    const data = await hear(peer, options);
    if (data.length !== 4) throw unexpected('a counter of 4 bytes', data);
    value = data.readUInt32LE(0);
    answers.push(value);
    if (value > lastCount) break;
    const next = Buffer.alloc(4);
    next.writeUInt32LE(value + 1);
    await say(peer, next, options);
  }
  await say(peer, goodbye, options);
  return answers;
}

/** The kernel's rpmsg_client_sample: so many greetings, each when the one before came back. */
export async function clientSample(
  peer: Peer,
  count: number,
  options: ScriptOptions,
): Promise<void> {
  for (let said = 0; said < count; said++) {
    await say(peer, greeting, options);
    const data = await hear(peer, options);
    if (!data.equals(greeting)) throw unexpected('its own message back', data);
  }
}

async function say(peer: Peer, data: Buffer, { told }: ScriptOptions): Promise<void> {
  told?.('host', data);
  await peer.say(data);
}

async function hear(peer: Peer, { told, timeoutMs }: ScriptOptions): Promise<Buffer> {
  const data = await peer.next(timeoutMs);
  told?.('remote', data);
  return data;
}

function unexpected(expected: string, data: Buffer): RpmsgctlError {
  const text = `the remote was to send ${expected}, and sent ${describePayload('', data)}`;
  return new RpmsgctlError(CliStatus.failure, text);
}
