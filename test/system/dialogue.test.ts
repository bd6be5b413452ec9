// SPDX-License-Identifier: Apache-2.0
// The dialogue of rpmsg-openamp-demo-channel to its end, by calls alone, on two channels of two
// remotes at once, over firmware and buses of each kind.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firmwareCommand } from '../../packaging/dev/scene.mjs';
import { channelPath, type RpmsgEndpoint } from '../support/rpmsg-client.ts';
import { SceneClient } from '../support/scene-client.ts';

const rows = [
  { bus: 'dbus-daemon system', firmware: '--behaviour openamp' },
  { bus: 'dbus-broker', firmware: '--consumed-notify on' },
] as const;

function word(value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeUInt32LE(value);
  return data;
}

/** Counts with the remote; resolves with every number that it said. */
async function dialogue(endpoint: RpmsgEndpoint): Promise<number[]> {
  const answers: number[] = [];
  await endpoint.send(Buffer.from('hello world!'));
  for (;;) {
    const value = (await endpoint.receiveData()).readUInt32LE();
    answers.push(value);
    if (value > 100) break;
    await endpoint.send(word(value + 1));
  }
  await endpoint.send(Buffer.from('goodbye!'));
  return answers;
}

describe.each(rows)('$bus, firmware $firmware', ({ bus, firmware }) => {
  let scene: SceneClient;

  beforeAll(async () => {
    const m4 = (name: string) => ({ name, platform: 'sim', soc: 'imx8qm', vdevs: 2 });
    scene = await SceneClient.start({
      bus,
      config: { remote: [m4('cm40'), m4('cm41')] },
      firmware: ({ vdevs }) => firmwareCommand(vdevs, firmware),
      ...(firmware.includes('openamp') ? { resourceTable: true } : {}),
    });
  });
  afterAll(() => scene?.stop());

  test('it runs past 100 on both channels of both remotes at once', async () => {
    const client = await scene.client();
    const channels = ['cm40', 'cm41'].flatMap((remote) =>
      [0, 1].map((vdev) => channelPath(remote, vdev, 'rpmsg-openamp-demo-channel')),
    );
    const endpoints = await Promise.all(channels.map((channel) => client.open(channel)));
    const evenNumbers = Array.from({ length: 52 }, (_, index) => 2 * index);
    for (const answers of await Promise.all(endpoints.map(dialogue))) {
      expect(answers).toEqual(evenNumbers);
    }
    // Nothing comes after the goodbye, and the channel is as before.
    for (const endpoint of endpoints) {
      expect(await endpoint.stats()).toMatchObject({ tx_messages: 53n, rx_messages: 52n });
      expect(await dialogue(endpoint)).toEqual(evenNumbers);
    }
  });
});
