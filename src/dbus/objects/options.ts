// SPDX-License-Identifier: Apache-2.0
// The keys of every a{sv} argument and their types. dbus/*.xml documents each; any other is refused.

import { RpmsgdError } from '../../util/errors.ts';
import type { Variant } from '../index.ts';

/** By method: key and D-Bus type. */
export const optionTypes = {
  CreateEndpoint: { announce: 'b', persistent: 'b', rx_queue: 'u' },
  Open: { rx_queue: 'u' },
  Subscribe: { ack: 's', window: 'u' },
  AcquireStream: { mode: 's', hold: 'u', framing: 's', zero_length: 'b', on_reset: 's' },
  Capture: { remote: 's', vdev: 'u', snaplen: 'u' },
} as const satisfies Record<string, Readonly<Record<string, keyof Values>>>;

interface Values {
  b: boolean;
  u: number;
  s: string;
}

type OptionsOf<M extends keyof typeof optionTypes> = {
  readonly [K in keyof (typeof optionTypes)[M]]?: (typeof optionTypes)[M][K] extends keyof Values
    ? Values[(typeof optionTypes)[M][K]]
    : never;
};

/** Throws RpmsgdError invalid_argument naming the key that is unknown or of another type. */
export function readOptions<M extends keyof typeof optionTypes>(
  method: M,
  given: Readonly<Record<string, Variant>>,
): OptionsOf<M> {
  const known: Readonly<Record<string, string>> = optionTypes[method];
  const read: Record<string, unknown> = {};
  for (const [key, { signature, value }] of Object.entries(given)) {
    const type = Object.hasOwn(known, key) ? known[key] : undefined;
    if (type === undefined) {
      const all = Object.keys(known).join(', ');
      const rule = all === '' ? 'takes none' : `knows ${all}`;
      throw new RpmsgdError('invalid_argument', `option '${key}' is unknown; ${method} ${rule}`);
    }
    if (signature !== type) {
      throw new RpmsgdError(
        'invalid_argument',
        `option '${key}' is of type '${type}', got '${signature}'`,
      );
    }
    read[key] = value;
  }
  return read as OptionsOf<M>;
}

/** Throws RpmsgdError invalid_argument unless the value is one of `choices`, the first by default. */
export function checkChoice<const C extends readonly [string, ...string[]]>(
  key: string,
  value: string | undefined,
  choices: C,
): C[number] {
  if (value === undefined) return choices[0];
  if (choices.includes(value)) return value;
  const all = choices.map((choice) => `'${choice}'`).join(', ');
  throw new RpmsgdError('invalid_argument', `option '${key}' is '${value}'; it is one of ${all}`);
}

/** Throws RpmsgdError invalid_argument unless 1 <= value <= most. */
export function checkRange(key: string, value: number, most: number, limit: string): number {
  if (value >= 1 && value <= most) return value;
  throw new RpmsgdError(
    'invalid_argument',
    `option '${key}' is ${value}; it is 1 to ${most} (limit ${limit})`,
  );
}
