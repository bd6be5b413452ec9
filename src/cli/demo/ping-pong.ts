// SPDX-License-Identifier: Apache-2.0
// The dialogue of rpmsg-openamp-demo-channel: a greeting, a 32-bit counter back and forth past 100,
// a goodbye.

import type { Bus } from '../../dbus/index.ts';
import { EndpointClient } from './endpoint-client.ts';
import type { Traffic } from './traffic.ts';

const lastCount = 100;

function counter(value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeUInt32LE(value);
  return data;
}

/** Holds one dialogue to its end; resolves with what was said, for a person. */
export async function pingPong(bus: Bus, channel: string, traffic: Traffic): Promise<string> {
  const answers: number[] = [];
  let finish: () => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const finished = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  let endpoint: EndpointClient | undefined;
  const say = async (data: Buffer) => {
    traffic.sent(data.length);
    await endpoint?.send(data);
  };
  endpoint = await EndpointClient.open(bus, channel, (data) => {
    traffic.received(data.length);
    const value = data.readUInt32LE(0);
    answers.push(value);
    if (value > lastCount) say(Buffer.from('goodbye!')).then(finish, fail);
    else say(counter(value + 1)).catch(fail);
  });
  const started = performance.now();
  await say(Buffer.from('hello world!'));
  await finished;
  const tookMs = (performance.now() - started).toFixed(1);
  await endpoint.close();
  const [first, second] = answers;
  return `"hello world!" ${first} ${second} ... ${answers.at(-1)} "goodbye!" (${answers.length} answers in ${tookMs} ms)`;
}
