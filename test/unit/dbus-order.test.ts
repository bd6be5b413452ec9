// SPDX-License-Identifier: Apache-2.0
// What one client asks for is done and answered in the order in which it asked, whichever way a call
// takes through the bus layer: without decoding, decoded, refused, in either byte order.

import { describe, expect, it } from 'vitest';
import { type ClientRegistry, connectBusStream, ObjectTree } from '../../src/dbus/index.ts';
import { IFACE, OBJECT, ROOT, Thing, thingInterface } from '../support/bus-service.ts';
import { DuplexBus } from '../support/duplex-bus.ts';
import { randomGenerator } from '../support/random.ts';
import { buildMessage, type RawMessage, stringBody } from '../support/raw-bus.ts';

interface Answer {
  readonly type: number;
  readonly replySerial: number;
}

class Scene {
  readonly peer: DuplexBus;
  readonly thing = new Thing();

  constructor(chunk?: number) {
    this.peer = new DuplexBus(chunk === undefined ? {} : { chunk });
  }

  static async open(chunk?: number): Promise<Scene> {
    const scene = new Scene(chunk);
    const bus = await connectBusStream(scene.peer.stream, { timeoutMs: 1_000 });
    // Nobody leaves.
    const clients = { onAnyVanish: () => undefined } as unknown as ClientRegistry;
    const tree = new ObjectTree(bus, { root: ROOT, clients });
    tree.publish(OBJECT, [thingInterface.of(scene.thing)]);
    return scene;
  }

  /** Every answer so far, as the client reads them. */
  answers(): Answer[] {
    const bytes = Buffer.concat(this.peer.written);
    const answers: Answer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const fields = (bytes.readUInt32LE(at + 12) + 7) & ~7;
      answers.push({ type: bytes[at + 1] as number, replySerial: bytes.readUInt32LE(at + 20) });
      at += 16 + fields + bytes.readUInt32LE(at + 4);
    }
    return answers;
  }
}

function sendCall(serial: number, bigEndian = false): RawMessage {
  const body = Buffer.alloc(8);
  if (bigEndian) body.writeUInt32BE(4);
  else body.writeUInt32LE(4);
  body.writeUInt32LE(serial, 4);
  return { ...call(serial, 'Send'), signature: 'ay', body, bigEndian };
}

function call(serial: number, member: string): RawMessage {
  return { serial, path: OBJECT, interface: IFACE, member };
}

const kinds: readonly ((serial: number) => RawMessage)[] = [
  (serial) => sendCall(serial),
  (serial) => sendCall(serial, true),
  (serial) => ({ ...call(serial, 'Echo'), signature: 's', body: stringBody('text') }),
  (serial) => call(serial, 'Pair'),
  (serial) => call(serial, 'NoSuchMethod'),
  (serial) => ({ ...sendCall(serial), path: '/not/there' }),
  (serial) => ({ ...sendCall(serial), signature: 's', body: stringBody('wrong') }),
];

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe.each([undefined, 7, 1000])('calls of one client, in chunks of %s bytes', (chunk) => {
  it('are done and answered in the order in which they came, whatever they are', async () => {
    const scene = await Scene.open(chunk);
    const below = randomGenerator(7);
    const serials = Array.from({ length: 500 }, (_, index) => index + 1);
    const messages = serials.map((serial) =>
      (kinds[below(kinds.length)] as (typeof kinds)[number])(serial),
    );
    scene.peer.push(Buffer.concat(messages.map(buildMessage)));
    await turn();
    const answers = scene.answers();
    expect(answers.map(({ replySerial }) => replySerial)).toEqual(serials);
    const sends = messages.filter(
      ({ member, path, signature }) => member === 'Send' && path === OBJECT && signature === 'ay',
    );
    expect(scene.thing.sent.map((data) => data.readUInt32LE())).toEqual(
      sends.map(({ serial }) => serial),
    );
    const refused = messages.map(({ member, path, signature }) =>
      member === 'NoSuchMethod' || path !== OBJECT || (member === 'Send' && signature === 's')
        ? 3
        : 2,
    );
    expect(answers.map(({ type }) => type)).toEqual(refused);
  });
});

describe('a header that was met before', () => {
  it('does not make up for what is wrong with the rest of the message', async () => {
    const scene = await Scene.open();
    const good = buildMessage(sendCall(1));
    const withoutSerial = Buffer.from(good);
    withoutSerial.writeUInt32LE(0, 8);
    const silent = buildMessage({ ...sendCall(2), flags: 1 });
    const without = buildMessage({ ...sendCall(3), body: Buffer.alloc(0) });
    scene.peer.push(
      Buffer.concat([good, withoutSerial, silent, without, buildMessage(sendCall(4))]),
    );
    await turn();
    expect(scene.answers()).toEqual([
      { type: 2, replySerial: 1 },
      { type: 3, replySerial: 3 },
      { type: 2, replySerial: 4 },
    ]);
    expect(scene.thing.sent.map((data) => data.readUInt32LE())).toEqual([1, 2, 4]);
  });
});
