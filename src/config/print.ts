// SPDX-License-Identifier: Apache-2.0
// Prints a configuration as TOML that loads to the same configuration again; physical addresses and
// sizes in hexadecimal. Behind each value stands where it came from, if that is known.

import type { OriginOf } from './load.ts';
import { snakeCase } from './load.ts';
import type { PathStep } from './origins.ts';
import { printValue } from './problems.ts';
import type { ChannelRule, Config, RemoteConfig, StaticEndpoint } from './types.ts';

/** Prints the members of one table, which `path` leads to. */
class TablePrinter {
  readonly #originOf: OriginOf | undefined;
  readonly #path: readonly PathStep[];
  readonly #lines: string[];

  constructor(originOf: OriginOf | undefined, path: readonly PathStep[], header: string) {
    this.#originOf = originOf;
    this.#path = path;
    this.#lines = [header];
  }

  /** `a.b` for a member of a table within; `otherwise`: where the value is from if nobody said it. */
  line(key: string, value: unknown, otherwise = 'default'): this {
    if (value === undefined) return this;
    const [last = key] = key.split('.').slice(-1);
    const text = `${key} = ${printValue(last, value)}`;
    const origin = this.#originOf?.([...this.#path, ...key.split('.')]) ?? otherwise;
    this.#lines.push(this.#originOf === undefined ? text : `${text}  # ${origin}`);
    return this;
  }

  /** A table of numbers and words under the names that files have for them. */
  all(table: object): this {
    for (const [key, value] of Object.entries(table)) this.line(snakeCase(key), value);
    return this;
  }

  get text(): string {
    return this.#lines.join('\n');
  }
}

export function printConfig(config: Config, originOf?: OriginOf): string {
  const table = (header: string, ...path: PathStep[]) => new TablePrinter(originOf, path, header);
  const sections = [
    heading(config),
    table('[limits]', 'limits').all(config.limits).text,
    table('[link]', 'link').all(config.link).text,
    table('[log]', 'log').all(config.log).text,
    ...config.remotes.flatMap((remote, index) => [
      printRemote(table('[[remote]]', 'remote', index), remote),
      ...remote.endpoints.map((endpoint, at) =>
        printEndpoint(table('[[remote.endpoint]]', 'remote', index, 'endpoint', at), endpoint),
      ),
    ]),
    ...config.channels.map((channel, index) =>
      printChannel(table('[[channel]]', 'channel', index), channel),
    ),
  ];
  return `${sections.join('\n\n')}\n`;
}

function heading({ files, deviceTree }: Config): string {
  const tree = deviceTree === undefined ? [] : [`# ${deviceTree} (device tree)`];
  const read = [...tree, ...files.map((file) => `# ${file}`)];
  return read.join('\n') || '# no file and no device tree found: these are the defaults';
}

function printRemote(table: TablePrinter, remote: RemoteConfig): string {
  const { setup } = remote;
  const { platform } = setup;
  const core = `default of ${remote.soc} ${platform.core}`;
  table
    .line('name', remote.name)
    .line('platform', platform.kind)
    .line('soc', remote.soc)
    .line('core', platform.core);
  printPlatform(table, platform, core);
  return table
    .line('vdevs', setup.vdevs)
    .line('vrings.base', setup.vringBase, core)
    .line('vrings.size', remote.vringSize, 'vdevs × stride')
    .line('vrings.stride', setup.vringStride)
    .line('vrings.vring1_offset', setup.vring1Offset)
    .line('buffers.base', setup.bufferBase, core)
    .line('buffers.size', remote.bufferSize, 'vdevs × 2 × descriptors × buffer_bytes')
    .line('resource_table.base', setup.tableBytes === 0 ? undefined : setup.tableBase)
    .line('resource_table.size', setup.tableBytes || undefined)
    .line('descriptors', setup.descriptors)
    .line('buffer_bytes', setup.bufferBytes)
    .line('slots', setup.slots)
    .line('ready_wait_ms', setup.readyWaitMs)
    .line('partition', remote.partition)
    .line('lossless', remote.lossless).text;
}

/** The keys that one platform alone has; empty names and addresses are what nobody knows. */
function printPlatform(
  table: TablePrinter,
  platform: RemoteConfig['setup']['platform'],
  core: string,
): void {
  if (platform.kind === 'sim') {
    table.line('socket', platform.socket);
    return;
  }
  table
    .line('mu_device', platform.muDevice || undefined)
    .line('mu_base', platform.muBase || undefined, core)
    .line('memory_device', platform.memoryDevice || undefined)
    .line('scu_mu_device', platform.scuMuDevice || undefined)
    .line('scu_mu_base', platform.scuMuBase || undefined)
    .line('dev_mem', platform.devMem);
}

function printEndpoint(table: TablePrinter, { vdev, name, src, dst }: StaticEndpoint): string {
  return table.line('vdev', vdev).line('name', name).line('src', src).line('dst', dst).text;
}

function printChannel(table: TablePrinter, rule: ChannelRule): string {
  const { name, hello, tty, group } = rule;
  return table.line('name', name).line('hello', hello).line('tty', tty).line('group', group).text;
}
