// SPDX-License-Identifier: Apache-2.0
// NXP's services byte by byte: what is sent, what is taken, what is called a packet at all.

import { describe, expect, it, test } from 'vitest';
import {
  decodeNxp,
  describeNxp,
  encodeNxp,
  type NxpCommand,
  type NxpService,
  type NxpValues,
  nxpServices,
} from '../../src/nxp/index.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

function find(name: string): { service: NxpService; command: NxpCommand } {
  const [serviceName, commandName] = name.split(' ');
  const service = nxpServices.find((one) => one.name === serviceName);
  const command = service?.commands.find((one) => one.name === commandName);
  if (service === undefined || command === undefined) throw new Error(`there is no ${name}`);
  return { service, command };
}

function encode(name: string, values: NxpValues = {}, data?: string): string {
  const { service, command } = find(name);
  return encodeNxp(service, command, values, data === undefined ? undefined : hex(data)).toString(
    'hex',
  );
}

/** Name, values, bytes on the wire: cate major minor type cmd reserved[5], then the service's own. */
const sent: readonly (readonly [string, NxpValues, string])[] = [
  ['lifecycle mode', { mode: 6 }, '01 01 00 00 00 0000000000 06'],
  ['lifecycle heartbeat', {}, '01 01 00 02 01 0000000000 00'],
  ['pmic enable', { regulator: 3 }, '02 01 00 00 00 0000000000 03 00 00 00000000'],
  [
    'pmic set-voltage',
    { regulator: 2, value: 1_100_000 },
    '02 01 00 00 03 0000000000 02 00 00 e0c81000',
  ],
  [
    'pmic set-register',
    { register: 0x1f, value: 1 },
    '02 01 00 00 06 0000000000 1f 00 00 01000000',
  ],
  [
    'audio tx-6',
    { index: 1, format: 2, channels: 3, rate: 48_000, 'buffer-address': 0x90000000 },
    '03 01 00 00 06 0000000000 01 02 03 80bb0000 00000090 00000000 00000000 00000000',
  ],
  ['audio get-codec', { index: 1 }, `03 01 00 00 15 0000000000 01 ${'00'.repeat(22)}`],
  ['key setup', { key: 114, event: 3, wakeup: 1 }, '04 01 00 00 00 0000000000 72 03 01'],
  ['gpio get', { port: 3, pin: 4 }, '05 01 00 00 02 0000000000 04 03 00 00 00 00'],
  ['gpio set', { port: 3, pin: 4, value: 1 }, '05 01 00 00 01 0000000000 04 03 01 00 00 00'],
  [
    'gpio input',
    { port: 0, pin: 31, trigger: 2, wakeup: 1 },
    '05 01 00 00 00 0000000000 1f 00 02 01 00 00',
  ],
  ['rtc get', {}, '06 01 00 00 01 0000000000 00 00 00000000 00 00'],
  ['rtc set', { time: 0x12345678 }, '06 01 00 00 00 0000000000 00 00 78563412 00 00'],
  ['rtc set-alarm', { time: 1, enable: 1 }, '06 01 00 00 02 0000000000 00 00 01000000 01 00'],
  ['sensor counter', { type: 1, index: 2, enable: 1 }, '07 01 00 00 01 0000000000 01 02 01000000'],
  [
    'sensor poll-delay',
    { type: 1, index: 0, delay: 3_600_000 },
    '07 01 00 00 02 0000000000 01 00 80ee3600',
  ],
  [
    'i2c read',
    { bus: 1, address: 0x1a, length: 4 },
    `09 01 00 00 00 0100000000 01 00 1a00 0002 0400 ${'00'.repeat(16)}`,
  ],
];

describe('what is sent', () => {
  it.each(sent)('%s', (name, values, bytes) => {
    expect(encode(name, values)).toBe(bytes.replaceAll(' ', ''));
  });

  it('is padded to 34 bytes on I2C, and longer with more data', () => {
    const head = '09 01 00 00 01 0100000000 01 00 1a00 0002';
    const short = `${head} 0200 abcd ${'00'.repeat(14)}`;
    expect(encode('i2c write', { bus: 1, address: 0x1a }, 'abcd')).toBe(short.replaceAll(' ', ''));
    const long = `${head} 1100 ${'ee'.repeat(17)}`;
    expect(encode('i2c write', { bus: 1, address: 0x1a }, 'ee'.repeat(17))).toBe(
      long.replaceAll(' ', ''),
    );
    expect(hex(encode('i2c read', { length: 478 })).length).toBe(496);
  });

  it('names the field, the value and the rule of what cannot be sent', () => {
    expect(() => encode('gpio get', { pin: 256 })).toThrow(
      'pin is a number from 0 to 255, not 256',
    );
    expect(() => encode('gpio get', { pin: -1 })).toThrow('pin is a number from 0 to 255, not -1');
    expect(() => encode('gpio get', { pin: 1.5 })).toThrow('not 1.5');
    expect(() => encode('gpio get', { value: 1 })).toThrow('gpio get has no field "value"');
    expect(() => encode('gpio get', {}, 'ab')).toThrow('this packet carries no data');
    expect(() => encode('i2c write', {}, '00'.repeat(479))).toThrow(
      'data has 0 to 478 bytes, not 479',
    );
  });

  test('every command that a host sends can be sent with zeros, and is what it is read as', () => {
    for (const service of nxpServices) {
      for (const command of service.commands) {
        const packet = decodeNxp(encodeNxp(service, command, {}));
        expect(packet).toMatchObject({ service, command });
      }
    }
  });
});

describe('what is received', () => {
  it('has its fields by name', () => {
    const packet = decodeNxp(hex('05 01 00 01 02 0000000000 04 03 00 01'));
    expect(packet).toMatchObject({ values: { pin: 4, port: 3, code: 0, value: 1 } });
  });

  it('is read the same with the padding of Linux and without', () => {
    const padded = hex('05 01 00 01 02 0000000000 04 03 00 01 00 00');
    const bare = padded.subarray(0, 14);
    expect(decodeNxp(padded)).toMatchObject({ values: { value: 1 } });
    expect(decodeNxp(bare)).toMatchObject({ values: { value: 1 } });
  });

  it('has the data that its length counts, and not the padding', () => {
    const packet = decodeNxp(
      hex(`09 01 00 01 00 0100000000 01 00 1a00 0002 0300 aabbcc ${'00'.repeat(13)}`),
    );
    expect(packet).toMatchObject({ data: hex('aabbcc') });
  });

  it.each([
    ['', '0 bytes are less than the 10 of a head'],
    ['05 01 00 01 02 00000000', '9 bytes are less than the 10 of a head'],
    ['0b 01 00 00 00 0000000000', 'there is no category 11'],
    ['05 01 00 01 09 0000000000 04 03 00 01', 'gpio has no reply 9'],
    ['05 01 00 07 02 0000000000 04 03 00 01', 'gpio has no type 7 2'],
    ['05 01 00 01 02 0000000000 04 03 00', 'gpio reply get has 13 bytes, and should have 14 to 16'],
    [
      '05 01 00 01 02 0000000000 04 03 00 01 000000',
      'gpio reply get has 17 bytes, and should have 14 to 16',
    ],
    [
      '06 01 00 01 01 0000000000 00 00 00000000 00',
      'rtc reply get has 17 bytes, and should have 18',
    ],
    [
      '09 01 00 01 00 0100000000 01 00 1a00 0002 05',
      'i2c reply read has 17 bytes, and should have 18 at least',
    ],
    [
      '09 01 00 01 00 0100000000 01 00 1a00 0002 0500 aa',
      'i2c reply read counts 5 data bytes, and 1 are there',
    ],
    [
      `09 01 00 01 00 0100000000 01 00 1a00 0002 ffff ${'00'.repeat(16)}`,
      'i2c reply read counts 65535 data bytes, and 16 are there',
    ],
  ])('%s is no packet', (bytes, problem) => {
    expect(decodeNxp(hex(bytes))).toEqual({ problem });
  });
});

describe('a line about a message', () => {
  it.each([
    ['01 01 00 00 00 0000000000 06', 'lifecycle request mode: mode reboot'],
    ['01 01 00 02 01 0000000000 00', 'lifecycle notification heartbeat'],
    [
      '02 01 00 01 02 0000000000 03 00 01 00000000',
      'pmic reply is-enabled: regulator 3, ok, status on',
    ],
    [
      '02 01 00 01 05 0000000000 1f 02 00 00000000',
      'pmic reply get-register: register 0x1f, unsupported, value 0x0',
    ],
    [
      `03 01 00 01 06 0000000000 01 02 00 ${'00'.repeat(20)}`,
      'audio reply tx-6: index 1, ok, buffer-offset 0, buffer-tail 0',
    ],
    ['04 01 00 02 00 0000000000 72 01 00', 'key notification event: key 114, event press'],
    ['05 01 00 00 02 0000000000 04 03 00 00 00 00', 'gpio request get: port 3, pin 4'],
    ['05 01 00 01 02 0000000000 04 03 00 01', 'gpio reply get: port 3, pin 4, ok, value 1'],
    ['05 01 00 01 02 0000000000 04 03 09 00', 'gpio reply get: port 3, pin 4, code 9, value 0'],
    ['05 01 00 02 00 0000000000 04 03', 'gpio notification edge: port 3, pin 4'],
    [
      '06 01 00 00 00 0000000000 00 00 00 f1 53 65 00 00',
      'rtc request set: time 2023-11-14T22:13:20Z',
    ],
    ['06 01 00 02 00 0000000000', 'rtc notification alarm'],
    [
      '07 01 00 02 01 0000000000 01 00 2a000000',
      'sensor notification counted: type 1, index 0, value 42',
    ],
    [
      '09 01 00 01 00 0100000000 01 00 1a00 0002 0100 aa',
      'i2c reply read: bus 1, address 0x1a, ok, data aa',
    ],
    ['05 01 00 00 2a 0000000000 04 03 00 00 00 00', 'gpio request command 42'],
  ])('%s', (bytes, line) => {
    expect(describeNxp(hex(bytes))).toBe(line);
  });

  it.each([
    ['text', Buffer.from('hello world!').toString('hex')],
    ['nothing', ''],
    ['zeros', '00'.repeat(16)],
    ['another version', '05 02 00 01 02 0000000000 04 03 00 01'],
    ['another minor version', '05 01 01 01 02 0000000000 04 03 00 01'],
    ['a type that is none', '05 01 00 03 02 0000000000 04 03 00 01'],
    ['reserved bytes in use', '05 01 00 01 02 0000000001 04 03 00 01'],
    ['a priority where there is none', '05 01 00 01 02 0100000000 04 03 00 01'],
    ['the wrong length', '05 01 00 01 02 0000000000 04 03 00'],
    ['a category of some vendor', '0b 01 00 00 00 0000000000 00 00'],
    ['an unknown command of odd length', '05 01 00 00 2a 0000000000 04'],
  ])('is not there for %s', (_what, bytes) => {
    expect(describeNxp(hex(bytes))).toBeUndefined();
  });

  it("takes no packet for another channel's", () => {
    const packet = hex('05 01 00 02 00 0000000000 04 03');
    expect(describeNxp(packet, 'rpmsg-io-channel')).toBe('gpio notification edge: port 3, pin 4');
    expect(describeNxp(packet, 'echo')).toBeUndefined();
  });
});

test('no random message is called a packet, and none of any kind is too much for the reader', () => {
  let state = 1;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    return state >>> 16;
  };
  for (let round = 0; round < 20_000; round++) {
    const payload = Buffer.from(Array.from({ length: random() % 40 }, random));
    expect(describeNxp(payload)).toBeUndefined();
    if (payload.length < 10) continue;
    payload.set([random() % 12, 1, 0, random() % 4, random() % 32, 0, 0, 0, 0, 0]);
    describeNxp(payload);
    decodeNxp(payload);
  }
});
