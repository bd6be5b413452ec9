// SPDX-License-Identifier: Apache-2.0
// Sending through org.rpmsg.Endpoint: answers, errors, waiting, and clients that leave.

import { describe, expect, it } from 'vitest';
import {
  devicePath,
  ErrorName,
  echoPath,
  errorName,
  Harness,
  options,
  rpmsgError,
  tick,
} from './support/objects-harness.ts';

const hello = Buffer.from('hello');

async function ownedEndpoint(harness: Harness, dst = 77): Promise<string> {
  const args = ['mine', 0xffffffff, dst, {}];
  return (await harness.call(devicePath, 'org.rpmsg.Device', 'CreateEndpoint', args)) as string;
}

describe('Send', () => {
  it('puts the bytes into the ring, from the endpoint to its peer', async () => {
    const harness = Harness.up();
    await harness.endpoint(echoPath, 'Send', [hello]);
    expect(harness.link.sent).toMatchObject([{ local: 1024, destination: 30, data: hello }]);
  });

  it.each([0, 1, 495, 496])('takes %i bytes', async (bytes) => {
    const harness = Harness.up();
    await harness.endpoint(echoPath, 'Send', [Buffer.alloc(bytes)]);
    expect(harness.link.sent[0]?.data.length).toBe(bytes);
  });

  it('refuses 497 bytes and names both sizes', async () => {
    const harness = Harness.up();
    const answer = harness.endpoint(echoPath, 'Send', [Buffer.alloc(497)]);
    await expect(answer).rejects.toThrow(/497 bytes.*496/);
    expect(await errorName(answer)).toBe(rpmsgError('MessageTooLong'));
    expect(harness.link.sent).toHaveLength(0);
  });

  it('waits for a buffer and answers when the message is in the ring', async () => {
    const harness = Harness.up();
    harness.link.freeBuffers = 0;
    let answered = false;
    const answer = harness.endpoint(echoPath, 'Send', [hello]).then(() => {
      answered = true;
    });
    await tick();
    expect(answered).toBe(false);
    harness.link.consume(1);
    await answer;
    expect(harness.link.sent).toHaveLength(1);
  });

  it.each([
    ['timed_out', 'TimedOut'],
    ['remote_reset', 'RemoteReset'],
    ['remote_down', 'RemoteDown'],
    ['shutting_down', 'ShuttingDown'],
    ['faulted', 'Faulted'],
    ['no_such_endpoint', 'NoSuchAddress'],
  ] as const)('ends a wait with %s as %s', async (code, name) => {
    const harness = Harness.up();
    harness.link.freeBuffers = 0;
    const answer = errorName(harness.endpoint(echoPath, 'Send', [hello]));
    await tick();
    harness.link.failWaiting(code);
    expect(await answer).toBe(rpmsgError(name));
  });

  it('refuses what would wait beyond the sender limit, at once', async () => {
    const harness = Harness.up({ limits: { sendsPerSender: 2 } });
    harness.link.freeBuffers = 0;
    const waiting = [1, 2].map(() => harness.endpoint(echoPath, 'Send', [hello]));
    await tick();
    expect(await errorName(harness.endpoint(echoPath, 'Send', [hello]))).toBe(
      rpmsgError('QuotaExceeded'),
    );
    const other = harness.endpoint(echoPath, 'Send', [hello], { sender: ':1.2' });
    await tick();
    harness.link.consume(3);
    await Promise.all([...waiting, other]);
    await harness.endpoint(echoPath, 'TrySend', [hello]).catch(() => {});
    expect(harness.link.sent).toHaveLength(3);
  });

  it('refuses what would wait beyond the endpoint limit, whoever sends', async () => {
    const harness = Harness.up({ limits: { sendsPerEndpoint: 1 } });
    harness.link.freeBuffers = 0;
    const first = harness.endpoint(echoPath, 'Send', [hello]);
    await tick();
    const second = harness.endpoint(echoPath, 'Send', [hello], { sender: ':1.2' });
    expect(await errorName(second)).toBe(rpmsgError('QuotaExceeded'));
    harness.link.consume(1);
    await first;
  });

  it('forgets the waiting sends of a client that vanished, and their places', async () => {
    const harness = Harness.up({ limits: { sendsPerEndpoint: 1 } });
    harness.link.freeBuffers = 0;
    void harness.endpoint(echoPath, 'Send', [hello]);
    await tick();
    harness.clients.vanish(':1.1');
    expect(harness.link.waiting).toHaveLength(0);
    const next = harness.endpoint(echoPath, 'Send', [hello], { sender: ':1.2' });
    await tick();
    harness.link.consume(1);
    await next;
    expect(harness.link.sent).toHaveLength(1);
    expect(harness.service.clientCount).toBe(1);
  });

  it('gives each client a number of its own', async () => {
    const harness = Harness.up();
    for (const sender of [':1.1', ':1.2', ':1.1']) {
      await harness.endpoint(echoPath, 'Send', [hello], { sender });
    }
    const [first, second, third] = harness.link.sent.map(({ caller }) => caller);
    expect(first).toBe(third);
    expect(second).not.toBe(first);
  });

  it('counts what failed without a reply', async () => {
    const harness = Harness.up();
    const noReply = { noReply: true };
    await harness.endpoint(echoPath, 'Send', [Buffer.alloc(500)], noReply).catch(() => {});
    harness.link.freeBuffers = 0;
    await harness.endpoint(echoPath, 'TrySend', [hello], noReply).catch(() => {});
    await harness.endpoint(echoPath, 'SendTo', [Buffer.alloc(500), 9], noReply).catch(() => {});
    await harness.endpoint(echoPath, 'SendBatch', [[Buffer.alloc(500)]], noReply).catch(() => {});
    expect(harness.stats(echoPath)['tx_unreported']).toBe(4n);
  });

  it('needs a peer address', async () => {
    const harness = Harness.up();
    const path = await ownedEndpoint(harness, 0xffffffff);
    expect(await errorName(harness.endpoint(path, 'Send', [hello]))).toBe(
      rpmsgError('NotConnected'),
    );
    await harness.endpoint(path, 'SendTo', [hello, 30]);
    expect(harness.link.sent).toHaveLength(1);
  });

  it('is NotConnected once the channel is withdrawn', async () => {
    const harness = Harness.up();
    harness.link.withdraw('echo', 30);
    expect(await errorName(harness.endpoint(echoPath, 'Send', [hello]))).toBe(
      rpmsgError('NotConnected'),
    );
  });

  it.each([
    ['down', 'RemoteDown'],
    ['faulted', 'Faulted'],
  ] as const)('is refused at once on a vdev that is %s', async (state, name) => {
    const harness = Harness.up();
    const path = await ownedEndpoint(harness);
    harness.link.setDevice(state);
    expect(await errorName(harness.endpoint(path, 'Send', [hello]))).toBe(rpmsgError(name));
  });

  it('works from offered on, so that a quiet remote can be spoken to', async () => {
    const harness = new Harness({ endpoints: [{ vdev: 0, name: 'gw', src: 30, dst: 31 }] });
    harness.link.setDevice('offered');
    const path = [...harness.tree.objects.keys()].find((one) => one.includes('endpoint_')) ?? '';
    expect(harness.get(path, 'org.rpmsg.Endpoint', 'Connected')).toBe(true);
    await harness.endpoint(path, 'Send', [hello]);
    expect(harness.link.sent).toMatchObject([{ local: 30, destination: 31 }]);
  });
});

describe('SendTo, TrySend and SendBatch', () => {
  it('sends to the address that is given', async () => {
    const harness = Harness.up();
    await harness.endpoint(echoPath, 'SendTo', [hello, 99]);
    await harness.endpoint(echoPath, 'TrySendTo', [hello, 98]);
    expect(harness.link.sent.map(({ destination }) => destination)).toEqual([99, 98]);
  });

  it('knows that 0xffffffff is no address', async () => {
    const harness = Harness.up();
    const answer = harness.endpoint(echoPath, 'SendTo', [hello, 0xffffffff]);
    expect(await errorName(answer)).toBe(rpmsgError('NoSuchAddress'));
  });

  it('never waits in TrySend', async () => {
    const harness = Harness.up();
    harness.link.freeBuffers = 0;
    for (const [member, args] of [
      ['TrySend', [hello]],
      ['TrySendTo', [hello, 30]],
    ] as const) {
      const answer = harness.endpoint(echoPath, member, args);
      expect(await errorName(answer)).toBe(rpmsgError('WouldBlock'));
    }
    expect(harness.link.waiting).toHaveLength(0);
  });

  it('sends a batch in order and says how many entered', async () => {
    const harness = Harness.up();
    const batch = ['a', 'b', 'c'].map((text) => Buffer.from(text));
    expect(await harness.endpoint(echoPath, 'SendBatch', [batch])).toBe(3);
    expect(harness.link.sent.map(({ data }) => data.toString())).toEqual(['a', 'b', 'c']);
    expect(await harness.endpoint(echoPath, 'SendBatch', [[]])).toBe(0);
  });

  it('checks every size of a batch before anything is sent', async () => {
    const harness = Harness.up();
    const answer = harness.endpoint(echoPath, 'SendBatch', [[hello, Buffer.alloc(497)]]);
    await expect(answer).rejects.toThrow(/message 1 of the batch has 497 bytes/);
    expect(harness.link.sent).toHaveLength(0);
  });

  it('counts those of a batch that entered before the wait was over', async () => {
    const harness = Harness.up();
    harness.link.freeBuffers = 1;
    const answer = harness.endpoint(echoPath, 'SendBatch', [[hello, hello, hello]]);
    await tick();
    harness.link.failWaiting('timed_out');
    expect(await answer).toBe(1);
  });

  it('fails a batch of which nothing entered', async () => {
    const harness = Harness.up();
    harness.link.freeBuffers = 0;
    const answer = errorName(harness.endpoint(echoPath, 'SendBatch', [[hello, hello]]));
    await tick();
    harness.link.failWaiting('timed_out');
    expect(await answer).toBe(rpmsgError('TimedOut'));
  });
});

describe('a channel narrowed to a group', () => {
  const rule = { name: 'echo', hello: false, tty: false, group: 'dialout' };

  it('serves members and refuses others, however they try', async () => {
    const harness = Harness.up({ channels: [rule] });
    harness.clients.credentialsOf.set(':1.5', { uid: 1005, gids: [20] });
    await harness.endpoint(echoPath, 'Send', [hello], { sender: ':1.5' });
    const path = await ownedEndpoint(harness);
    const tries = [
      harness.endpoint(echoPath, 'Send', [hello]),
      harness.endpoint(echoPath, 'Receive', [1, 0]),
      harness.endpoint(echoPath, 'Subscribe', [{}]),
      harness.endpoint(echoPath, 'SendBatch', [[hello]]),
      harness.call(echoPath, 'org.rpmsg.Channel', 'Open', [{}]),
      harness.endpoint(path, 'SendTo', [hello, 30]),
      harness.call(devicePath, 'org.rpmsg.Device', 'CreateEndpoint', ['x', 5, 30, {}]),
    ];
    for (const attempt of tries) expect(await errorName(attempt)).toBe(ErrorName.accessDenied);
    expect(harness.link.sent).toHaveLength(1);
    await harness.endpoint(path, 'SendTo', [hello, 31]);
  });

  it('keeps the order of sends that were made before the group was known', async () => {
    const harness = Harness.up({ channels: [rule] });
    harness.clients.credentialsOf.set(':1.1', { uid: 0, gids: [0] });
    const texts = ['a', 'b', 'c', 'd'];
    await Promise.all(texts.map((text) => harness.endpoint(echoPath, 'Send', [Buffer.from(text)])));
    expect(harness.link.sent.map(({ data }) => data.toString())).toEqual(texts);
  });

  it('holds an endpoint to it that was made for the address before', async () => {
    const harness = Harness.up({ channels: [{ ...rule, name: 'late' }] });
    const path = await ownedEndpoint(harness, 40);
    harness.link.announce('late', 40);
    expect(await errorName(harness.endpoint(path, 'Send', [hello]))).toBe(ErrorName.accessDenied);
    expect(options({})).toEqual({});
  });
});
