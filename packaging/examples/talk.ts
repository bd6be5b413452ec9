// SPDX-License-Identifier: Apache-2.0
// Talks to a channel of an M core: one message and its answer by D-Bus calls, then lines of standard
// input as messages of a stream, and messages received as lines of standard output, through resets of
// the M core.
//
// usage: node talk.js [CHANNEL]        (default echo)

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import { type Channel, connect, type EndpointStream, RpmsgError } from 'rpmsgd/client';

const quietMs = 1000; // after the end of the input: nothing came for so long
const name = process.argv[2] ?? 'echo';
const client = await connect();

/** The first remote and vdev that has the channel. */
async function findChannel(): Promise<Channel> {
  for (const remote of await client.remotes()) {
    for (let vdev = 0; ; vdev++) {
      try {
        return await client.channel(remote.name, vdev, name, { timeoutMs: 100 });
      } catch (error) {
        if (!(error instanceof RpmsgError)) throw error;
        if (error.name === 'org.rpmsg.Error.NoSuchAddress') break; // no such vdev
      }
    }
  }
  throw new Error(`no M core has announced ${name}`);
}

/** Lines to messages, messages to lines, until the input has ended and no answer comes any more. */
async function talk(stream: EndpointStream): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  stream.on('data', (message: Buffer) => {
    console.log(message.toString());
    timer?.refresh();
  });
  stream.once('end', () => stream.destroy(new Error('the endpoint was closed')));
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === '') continue;
    // False: the M core is slow, or being reset.
    if (!stream.write(Buffer.from(line))) await once(stream, 'drain');
    // What has come is read before more is sent: who does not read loses messages.
    await setImmediate();
  }
  await new Promise<void>((resolve) => {
    timer = setTimeout(resolve, quietMs);
  });
}

const channel = await findChannel();
console.log(`channel ${channel.path}`);
const endpoint = await channel.open();
await endpoint.send(Buffer.from('hello'));
for await (const { data, source } of endpoint.messages()) {
  console.log(`received ${data} from ${source}`);
  break;
}

endpoint.on('connected', (connected) => {
  console.error(`the M core ${connected ? 'is back' : 'is being reset'}`);
});
endpoint.on('overrun', (count) => console.error(`${count} messages lost: not read in time`));
const stream = await endpoint.stream();
console.log(`streaming, ${stream.maxPacketBytes} bytes a message at most`);
await talk(stream);
stream.destroy();
await client.close();
