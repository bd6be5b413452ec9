// SPDX-License-Identifier: Apache-2.0
// The words behind `rpmsgctl nxp`: what is sent for them, and what is wrong with them.

import { describe, expect, it } from 'vitest';
import { readRequest } from '../../src/cli/nxp/request.ts';
import { nxpServices } from '../../src/nxp/index.ts';
import { runRpmsgctl } from '../support/rpmsgctl-run.ts';

const packet = (line: string) =>
  readRequest(line.split(' ').filter(Boolean)).request.packet.toString('hex');
const see = '; see rpmsgctl nxp --help';

describe('what is sent for a line', () => {
  it.each([
    ['gpio get 3 4', '05010000020000000000040300000000'],
    ['gpio input 0 31', '050100000000000000001f0000000000'],
    ['gpio input 0 31 falling on', '050100000000000000001f0002010000'],
    ['gpio input 0 0x1f wakeup=on', '050100000000000000001f0000010000'],
    ['rtc set 2023-11-14T22:13:20Z', '06010000000000000000000000f153650000'],
    ['rtc set 1700000000', '06010000000000000000000000f153650000'],
    ['lifecycle mode shutdown', '0101000000000000000007'],
    ['lifecycle mode 7', '0101000000000000000007'],
    ['lifecycle heartbeat', '0101000201000000000000'],
    ['audio rx-9 1 rate=48000', `0301000013000000000001000080bb0000${'00'.repeat(16)}`],
    ['i2c write 1 0x1a 00 ff', `0901000001010000000001001a000002020000ff${'00'.repeat(14)}`],
    ['i2c write 1 0x1a', `0901000001010000000001001a0000020000${'00'.repeat(16)}`],
  ])('%s', (line, bytes) => {
    expect(packet(line)).toBe(bytes);
  });

  it('is the same if the channel is named and not the service', () => {
    const { request, channelName } = readRequest(['rpmsg-micfil-channel', 'rx-0', '0']);
    expect(request.service.name).toBe('audio');
    expect(channelName).toBe('rpmsg-micfil-channel');
    expect(readRequest(['audio', 'rx-0', '0']).channelName).toBeUndefined();
  });
});

describe('what is wrong with a line', () => {
  it.each([
    ['', 'a service is missing: lifecycle, pmic, audio, key, gpio, rtc, sensor, i2c'],
    ['gpoi', 'there is no service "gpoi"; did you mean gpio?'],
    ['gpio', 'a command is missing: gpio has get, set, input'],
    ['gpio edge 1 2', 'gpio has no command "edge"; there are get, set, input'],
    ['gpio get 3', 'pin is missing: gpio get PORT PIN'],
    ['gpio get 3 4 5', '"5" means nothing: gpio get PORT PIN'],
    ['gpio get 3 pin=4', 'pin is missing: gpio get PORT PIN'],
    ['gpio get 3 4 pin=4', 'pin is given twice: gpio get PORT PIN'],
    ['gpio get 3 4 value=1', 'gpio get has no field value; it has pin, port'],
    ['i2c write 1 26 0', 'data is pairs of hexadecimal digits, not "0"'],
  ])('%s', (line, message) => {
    expect(() => packet(line)).toThrow(`${message}${see}`);
  });

  it.each([
    ['gpio get 3 256', 'pin is a number from 0 to 255, not "256"'],
    ['gpio get 3 -4', 'pin is a number from 0 to 255, not "-4"'],
    ['gpio set 3 4 2', 'value is a number from 0 to 1, not "2"'],
    ['sensor poll-delay 1 0 499', 'delay is a number from 500 to 3600000, not "499"'],
    ['gpio input 0 0 up', 'trigger is one of none, rising, falling, both, low, high, not "up"'],
    ['gpio input 0 0 low yes', 'wakeup is on or off, not "yes"'],
    ['rtc set tomorrow', 'time is now, a time as 2026-01-31T12:00:00Z, or seconds since 1970'],
    ['rtc set 2106-02-07T06:28:16Z', 'before 2106-02-07T06:28:16Z, not "2106-02-07T06:28:16Z"'],
    ['rtc set 1969-12-31T23:59:59Z', 'not "1969-12-31T23:59:59Z"'],
    ['rtc set 2026-02-31T99:00:00Z', 'not "2026-02-31T99:00:00Z"'],
  ])('%s', (line, message) => {
    expect(() => packet(line)).toThrow(message);
  });

  it('is told before a bus is looked for, with status 64', async () => {
    const bus = ['--bus', 'unix:path=/nonexistent/bus'];
    expect(await runRpmsgctl('nxp', 'gpio', 'get', ...bus)).toMatchObject({ status: 64 });
    expect(await runRpmsgctl('nxp', 'rtc', 'get', '--timeout', 'soon', ...bus)).toMatchObject({
      status: 64,
      err: 'rpmsgctl: --timeout is a time of at least 1ms and at most 7 days, as 500ms, 2s, 1min or 2 (seconds), not "soon"\n',
    });
  });
});

it('helps with every command that can be sent', async () => {
  const { out } = await runRpmsgctl('nxp', '--help');
  for (const { name, commands } of nxpServices) {
    for (const { name: command, kind } of commands.filter((one) => !/-[1-9]$/.test(one.name))) {
      const line = `  ${name} ${command.replace(/-0$/, '-0...9')} `;
      expect(out.includes(line), line).toBe(kind !== 'remote-notification');
    }
  }
  expect(out).toContain('  gpio input PORT PIN [TRIGGER] [WAKEUP] ');
  expect(out).toContain('  i2c write BUS ADDRESS HEX... ');
});
