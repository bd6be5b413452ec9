// SPDX-License-Identifier: Apache-2.0
// The dissector over packets that no simulated firmware sends: each of NXP's services, and whatever a
// remote can do wrong. One file, one run of TShark.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeNxp, nxpServices } from '../../src/nxp/index.ts';
import { checkout, runProgram } from '../support/daemon-process.ts';

const inbound = 1;
const outbound = 2;

function u16(...values: number[]): Buffer {
  return Buffer.from(Uint16Array.from(values).buffer);
}

function u32(...values: number[]): Buffer {
  return Buffer.from(Uint32Array.from(values).buffer);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

function option(code: number, value: Buffer): Buffer {
  return Buffer.concat([u16(code, value.length), padded(value)]);
}

function block(type: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(type, body.length + 12), body, u32(body.length + 12)]);
}

interface Packet {
  readonly bytes: Buffer;
  readonly direction?: number;
  readonly originalBytes?: number;
  readonly comment?: string;
}

function fileOf(packets: readonly Packet[]): Buffer {
  const section = block(0x0a0d0d0a, u32(0x1a2b3c4d), u16(1, 0), Buffer.alloc(8, 0xff));
  const name = option(2, Buffer.from('cm40/vdev0'));
  const vdev = block(1, u16(147, 0), u32(0), name, option(9, Buffer.from([9])), u32(0));
  const blocks = packets.map(({ bytes, direction = inbound, originalBytes, comment }, index) => {
    const head = u32(0, 0, index, bytes.length, originalBytes ?? bytes.length);
    const text = comment === undefined ? Buffer.alloc(0) : option(1, Buffer.from(comment));
    return block(6, head, padded(bytes), option(2, u32(direction)), text, u32(0));
  });
  return Buffer.concat([section, vdev, ...blocks]);
}

function message(src: number, dst: number, payload: Buffer, length = payload.length): Buffer {
  return Buffer.concat([u32(src, dst, 0), u16(length, 0), payload]);
}

function announcement(name: string, address: number, flags = 0): Buffer {
  const field = Buffer.alloc(32);
  field.write(name, 'latin1');
  return message(address, 53, Buffer.concat([field, u32(address, flags)]));
}

function head(category: number, type: number, command: number): Buffer {
  return Buffer.from([category, 1, 0, type, command, 0, 0, 0, 0, 0]);
}

function service(category: number, type: number, command: number, ...rest: Buffer[]): Buffer {
  return message(9, 1024, Buffer.concat([head(category, type, command), ...rest]));
}

const bytes = (...values: number[]) => Buffer.from(values);

/** Each with what the Info column says of it, and what expert information there is. */
const cases: readonly (Packet & { readonly info: RegExp; readonly expert?: string })[] = [
  { bytes: announcement('rpmsg-rtc-channel', 6), info: /create "rpmsg-rtc-channel" at 0x6$/ },
  {
    bytes: announcement(`${'n'.repeat(31)}\x07`, 1, 1),
    info: /destroy "n{31}\." at 0x1$/,
  },
  {
    bytes: message(6, 53, Buffer.alloc(39)),
    info: /malformed announcement of 39 bytes$/,
    expert: 'An announcement has 40 bytes',
  },
  {
    bytes: service(1, 0, 0, bytes(6)),
    info: /^9 → 1024, 11 bytes: life-cycle request: mode, mode REBOOT$/,
  },
  { bytes: service(1, 2, 1, bytes(0)), info: /life-cycle notification: heartbeat$/ },
  {
    bytes: service(2, 0, 3, bytes(4, 0, 0), u32(900)),
    info: /PMIC request: set-voltage, regulator 4$/,
  },
  { bytes: service(3, 0, 0x14, Buffer.alloc(23)), info: /audio request: set-codec$/ },
  { bytes: service(4, 2, 0, bytes(30, 1, 0)), info: /key notification: event$/ },
  {
    bytes: service(5, 0, 0, bytes(7, 2, 3, 1, 0, 0)),
    info: /GPIO request: input, pin 7, port 2, trigger both edges$/,
  },
  {
    bytes: service(5, 0, 1, bytes(7, 2, 1, 0, 0, 0)),
    info: /GPIO request: set, pin 7, port 2, value 1$/,
  },
  {
    bytes: service(5, 2, 0, bytes(7, 2)),
    info: /GPIO notification: edge, pin 7, port 2$/,
  },
  {
    bytes: service(6, 1, 1, bytes(0, 0), u32(1234), bytes(0, 0)),
    info: /RTC reply: get, result ok, seconds 1234$/,
  },
  { bytes: service(7, 0, 2, bytes(1, 0), u32(500)), info: /sensor request: poll-delay$/ },
  {
    bytes: service(9, 0, 1, bytes(1, 0), u16(0x50, 0x0200, 2), bytes(0xab, 0xcd)),
    info: /I2C request: write$/,
  },
  // One byte more, another version, another category: no packet of a service, on an unknown channel.
  { bytes: service(5, 0, 2, bytes(7, 2, 0, 0, 0, 0, 0)), info: /17 bytes$/ },
  {
    bytes: message(9, 1024, bytes(5, 2, 0, 0, 2, 0, 0, 0, 0, 0, 7, 2, 0, 0, 0, 0)),
    info: /16 bytes$/,
  },
  { bytes: service(8, 0, 2, bytes(7, 2, 0, 0, 0, 0)), info: /16 bytes$/ },
  { bytes: service(5, 0, 9, bytes(7, 2, 0, 0, 0, 0)), info: /16 bytes$/ },
  // But on the channel of a service they are wrong.
  {
    bytes: message(1024, 6, Buffer.concat([head(6, 0, 1), bytes(0)])),
    direction: outbound,
    info: /^rpmsg-rtc-channel 1024 → 6, 11 bytes: RTC request: get$/,
    expert: 'Another length than packets of this service have',
  },
  {
    bytes: message(6, 1024, bytes(6, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
    info: /RTC reply: set, result ok, seconds 0$/,
    expert: 'Another version than 1.0',
  },
  {
    bytes: message(6, 1024, Buffer.concat([head(5, 1, 2), bytes(1, 1, 0, 0, 0, 0)])),
    info: /GPIO reply/,
    expert: 'Another category than this channel is for',
  },
  // Lengths that lie, and captures that are cut.
  {
    bytes: message(9, 1024, Buffer.alloc(8), 500),
    info: /^9 → 1024, 500 bytes: malformed length$/,
    expert: 'The length exceeds what the buffer holds',
  },
  { bytes: message(9, 1024, Buffer.alloc(4), 400), originalBytes: 416, info: /400 bytes$/ },
  {
    bytes: message(9, 53, Buffer.alloc(4), 40),
    originalBytes: 56,
    info: /announcement, cut short$/,
  },
  {
    bytes: Buffer.alloc(12),
    info: /shorter than the RPMsg header$/,
    expert: 'Shorter than the RPMsg header',
  },
  { bytes: message(9, 1024, Buffer.alloc(0)), info: /^9 → 1024, 0 bytes$/ },
  // Names that were told when the capture began, quotes in them too, until a reset.
  {
    bytes: Buffer.alloc(0),
    comment: 'capture begins: up\nchannel "a \\"b\\"" at 0x20\nchannel "c" at 0x21',
    info: /^\[capture begins: up; channel "a \\"b\\"" at 0x20; channel "c" at 0x21\]$/,
  },
  { bytes: message(0x20, 1024, bytes(1)), info: /^a "b" 32 → 1024, 1 bytes$/ },
  { bytes: message(1024, 0x21, bytes(1)), direction: outbound, info: /^c 1024 → 33, 1 bytes$/ },
  { bytes: announcement('c', 0x21, 1), info: /destroy "c"/ },
  { bytes: message(0x21, 1024, bytes(1)), info: /^33 → 1024, 1 bytes$/ },
];

/** A packet of each command that rpmsgctl knows, which has the same words for it. */
const known = nxpServices.flatMap((one) =>
  one.commands.map((command) => {
    const values = { event: 1, delay: 500 };
    const own = Object.entries(values).filter(([name]) => command.operands.includes(name));
    const packet = encodeNxp(one, command, Object.fromEntries(own));
    return { service: one.name, command: command.name, bytes: message(9, 1024, packet) };
  }),
);

let directory: string;
let rows: string[][];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'rpmsg-dissector-'));
  const file = join(directory, 'cases.pcapng');
  writeFileSync(file, fileOf([...cases, ...known]));
  const script = `lua_script:${checkout}packaging/wireshark/rpmsg.lua`;
  const fields = [
    '_ws.col.Info',
    '_ws.expert.message',
    '_ws.lua',
    'rpmsg_nxp.command_name',
  ].flatMap((name) => ['-e', name]);
  const { status, stdout, stderr } = await runProgram('tshark', [
    ...['-X', script, '-r', file, '-T', 'fields'],
    ...fields,
  ]);
  expect({ status, stderr: stderr.replace(/^Running as user.*\n/, '') }).toEqual({
    status: 0,
    stderr: '',
  });
  rows = stdout.split('\n').map((line) => line.split('\t'));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test.each(cases.map(({ info, expert = '', comment }, index) => ({ index, info, expert, comment })))(
  'packet $index is shown as $info $expert',
  ({ index, info, expert, comment }) => {
    const [shown, experts = '', lua] = rows[index] ?? [];
    expect(shown).toMatch(info);
    if (comment === undefined) expect(experts).toBe(expert);
    expect(lua).toBe('');
  },
);

test.each(known.map(({ service, command }, index) => ({ service, command, index })))(
  '$service $command is known by the name that rpmsgctl has for it',
  ({ command, index }) => {
    const [, experts, , name] = rows[cases.length + index] ?? [];
    expect({ name, experts }).toEqual({ name: command, experts: '' });
  },
);
