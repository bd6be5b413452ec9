// SPDX-License-Identifier: Apache-2.0
// Prints a configuration as TOML that loads to the same configuration again; physical addresses and
// sizes in hexadecimal.

import { snakeCase } from './load.ts';
import { hex } from './problems.ts';
import type { ChannelRule, Config, RemoteConfig, StaticEndpoint } from './types.ts';

type Scalar = string | number | boolean;

function scalar(value: Scalar): string {
  return JSON.stringify(value);
}

function lines(entries: readonly (readonly [string, Scalar | undefined])[]): string[] {
  return entries.flatMap(([key, value]) =>
    value === undefined ? [] : [`${key} = ${scalar(value)}`],
  );
}

function section(header: string, body: readonly string[]): string {
  return [header, ...body].join('\n');
}

export function printConfig(config: Config): string {
  const numbers = (table: object) =>
    lines(Object.entries(table).map(([key, value]) => [snakeCase(key), value as number]));
  const sections = [
    config.files.map((file) => `# ${file}`).join('\n') || '# no file found: these are the defaults',
    section('[limits]', numbers(config.limits)),
    section('[link]', numbers(config.link)),
    section('[log]', lines([['level', config.log.level]])),
    ...config.remotes.flatMap(printRemote),
    ...config.channels.map(printChannel),
  ];
  return `${sections.join('\n\n')}\n`;
}

function printRemote(remote: RemoteConfig): string[] {
  const { setup } = remote;
  const vringSize = setup.vdevs * setup.vringStride;
  const bufferSize = setup.vdevs * setup.bufferStride;
  const body = [
    ...lines([
      ['name', remote.name],
      ['platform', setup.platform.kind],
      ['soc', remote.soc],
      ['core', setup.platform.core],
    ]),
    ...printPlatform(setup.platform),
    ...lines([['vdevs', setup.vdevs]]),
    `vrings = { base = ${hex(setup.vringBase)}, size = ${hex(vringSize)}, stride = ${hex(setup.vringStride)}, vring1_offset = ${hex(setup.vring1Offset)} }`,
    `buffers = { base = ${hex(setup.bufferBase)}, size = ${hex(bufferSize)} }`,
    ...lines([
      ['descriptors', setup.descriptors],
      ['buffer_bytes', setup.bufferBytes],
      ['slots', setup.slots],
      ['ready_wait_ms', setup.readyWaitMs],
      ['partition', remote.partition],
    ]),
    `lossless = [${remote.lossless.join(', ')}]`,
  ];
  return [section('[[remote]]', body), ...remote.endpoints.map(printEndpoint)];
}

/** The keys that one platform alone has; empty names and addresses are what is not said. */
function printPlatform(platform: RemoteConfig['setup']['platform']): string[] {
  if (platform.kind === 'sim') return lines([['socket', platform.socket]]);
  const base = (key: string, value: number) => (value === 0 ? [] : [`${key} = ${hex(value)}`]);
  return [
    ...lines([['mu_device', platform.muDevice || undefined]]),
    ...base('mu_base', platform.muBase),
    ...lines([
      ['memory_device', platform.memoryDevice || undefined],
      ['scu_mu_device', platform.scuMuDevice || undefined],
    ]),
    ...base('scu_mu_base', platform.scuMuBase),
    ...lines([['dev_mem', platform.devMem]]),
  ];
}

function printEndpoint({ vdev, name, src, dst }: StaticEndpoint): string {
  const body = lines([
    ['vdev', vdev],
    ['name', name],
    ['src', src],
    ['dst', dst],
  ]);
  return section('[[remote.endpoint]]', body);
}

function printChannel({ name, hello, group }: ChannelRule): string {
  const body = lines([
    ['name', name],
    ['hello', hello],
    ['group', group],
  ]);
  return section('[[channel]]', body);
}
