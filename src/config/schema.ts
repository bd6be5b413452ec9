// SPDX-License-Identifier: Apache-2.0
// The shape of rpmsgd.toml: every key, its type and its range. What concerns several keys at once
// is in checks.ts.

import * as v from 'valibot';
import { logLevels } from './types.ts';

function integer(least: number, most: number, unit = '') {
  const range = `must be a whole number from ${least} to ${most}${unit === '' ? '' : ` ${unit}`}`;
  return v.pipe(
    v.number(range),
    v.check((value) => Number.isInteger(value) && value >= least && value <= most, range),
  );
}

function text(rule: string, valid: RegExp) {
  return v.pipe(v.string(rule), v.regex(valid, rule));
}

function optional<const Schema extends v.GenericSchema>(schema: Schema) {
  return v.optional(schema);
}

const highestAddress = 0xfffffffe;
const nameServiceAddress = 53;

/** A physical address or a size in bytes. How far up it may lie is a check of its own. */
const memory = v.pipe(
  v.number('must be a number of bytes, like 0x90000000'),
  v.check(
    (value) => Number.isSafeInteger(value) && value >= 0,
    'must be a whole number of bytes, not negative',
  ),
);

function address(what: string) {
  const rule = `must be ${what}: from 0 to 0xfffffffe, and not ${nameServiceAddress}, which belongs to the name service`;
  return v.pipe(
    v.number(rule),
    v.check(
      (value) =>
        Number.isInteger(value) &&
        value >= 0 &&
        value <= highestAddress &&
        value !== nameServiceAddress,
      rule,
    ),
  );
}

function isRpmsgName(name: string): boolean {
  const bytes = Buffer.byteLength(name);
  return bytes >= 1 && bytes <= 32 && !name.includes('\0');
}

const rpmsgNameRule = 'must have 1 to 32 bytes and no NUL, as RPMsg carries it';
const rpmsgName = v.pipe(v.string(rpmsgNameRule), v.check(isRpmsgName, rpmsgNameRule));

const remoteName = text(
  'must be 1 to 32 of a-z, 0-9, _ and -, beginning with a letter, like "cm40"',
  /^[a-z][a-z0-9_-]{0,31}$/,
);

const uioName = text(
  'must be the name of a UIO device, as /sys/class/uio/uio*/name has it, like "rpmsg-mu"',
  /^[!-~]{1,64}$/,
);

const absolutePath = text('must be an absolute path', /^\//);

export const limitsSchema = v.object({
  endpoints_per_uid: optional(integer(1, 1_000_000)),
  channels_per_device: optional(integer(1, 65_536)),
  sends_per_sender: optional(integer(1, 1024)),
  sends_per_endpoint: optional(integer(1, 4096)),
  send_timeout_ms: optional(integer(1, 20_000, 'milliseconds')),
  rx_queue: optional(integer(1, 65_536, 'messages')),
  rx_queue_max: optional(integer(1, 65_536, 'messages')),
  window: optional(integer(1, 65_536, 'messages')),
  window_max: optional(integer(1, 65_536, 'messages')),
  subscriptions_per_uid: optional(integer(1, 1_000_000)),
  streams_per_uid: optional(integer(1, 65_536)),
  stream_hold: optional(integer(1, 32_768, 'messages')),
  ttys_per_device: optional(integer(0, 512)),
  captures: optional(integer(1, 64)),
  receives_per_sender: optional(integer(1, 1024)),
  calls_per_sender: optional(integer(1, 65_536)),
  calls: optional(integer(1, 1_000_000)),
});

const endpointSchema = v.object({
  vdev: integer(0, 7),
  name: rpmsgName,
  src: address('a local address'),
  dst: optional(address('a remote address')),
});

const partitionRule = 'must be "auto" or the number of an SCFW partition, 0 to 31';

export const remoteSchema = v.object({
  name: remoteName,
  platform: v.picklist(
    ['sim', 'uio'],
    'is not a platform that can be opened here; it is one of "uio" (hardware, by /dev/uioN) and "sim" (a simulated SoC)',
  ),
  soc: v.string('must be the name of a SoC, like "imx8qxp"'),
  core: optional(text('must be the name of a core, like "cm40"', /^[a-z0-9_-]{1,15}$/)),
  socket: optional(absolutePath),
  mu_device: optional(uioName),
  mu_base: optional(memory),
  memory_device: optional(uioName),
  scu_mu_device: optional(uioName),
  scu_mu_base: optional(memory),
  dev_mem: optional(v.boolean('must be true or false')),
  vdevs: optional(integer(0, Number.MAX_SAFE_INTEGER)),
  vrings: optional(
    v.object({
      base: optional(memory),
      size: optional(memory),
      stride: optional(memory),
      vring1_offset: optional(memory),
    }),
  ),
  buffers: optional(v.object({ base: optional(memory), size: optional(memory) })),
  resource_table: optional(v.object({ base: memory, size: optional(memory) })),
  descriptors: optional(integer(2, 4096)),
  buffer_bytes: optional(integer(32, 4096, 'bytes, header included')),
  slots: optional(integer(16, 65_536)),
  ready_wait_ms: optional(integer(0, 10_000, 'milliseconds')),
  partition: optional(v.union([v.literal('auto', partitionRule), integer(0, 31)], partitionRule)),
  lossless: optional(v.array(integer(0, 7), 'must be a list of vdevs, like [0, 1]')),
  endpoint: optional(v.array(endpointSchema, 'must be a list of tables: [[remote.endpoint]]')),
});

const channelSchema = v.object({
  name: rpmsgName,
  hello: optional(v.boolean('must be true or false')),
  tty: optional(v.boolean('must be true or false')),
  group: optional(text('must be the name of a group', /^[A-Za-z_][A-Za-z0-9_.-]*$/)),
});

export const fileSchema = v.object({
  limits: optional(limitsSchema),
  link: optional(
    v.object({
      busy_poll_us: optional(integer(0, 1_000_000, 'microseconds')),
      realtime_priority: optional(integer(0, 99)),
    }),
  ),
  log: optional(
    v.object({
      level: optional(v.picklist(logLevels, `must be one of ${logLevels.join(', ')}`)),
    }),
  ),
  device_tree: optional(
    v.object({
      remotes: optional(
        v.array(remoteName, 'must be a list of names of remotes, like ["cm40"], or an empty one'),
      ),
    }),
  ),
  remote: optional(v.array(remoteSchema, 'must be a list of tables: [[remote]]')),
  channel: optional(v.array(channelSchema, 'must be a list of tables: [[channel]]')),
});

export type FileShape = v.InferOutput<typeof fileSchema>;
export type RemoteShape = v.InferOutput<typeof remoteSchema>;
