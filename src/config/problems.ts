// SPDX-License-Identifier: Apache-2.0
// What is wrong with a configuration: every complaint names file, key, value, rule and remedy.

/** One complaint. `value` is already printed for a person; addresses in hexadecimal. */
export interface Problem {
  readonly file: string;
  readonly key: string;
  readonly value?: string;
  readonly rule: string;
}

/** One complaint as a line. */
export function problemLine({ file, key, value, rule }: Problem): string {
  const what = value === undefined ? key : `${key} = ${value}`;
  return what === '' ? `${file}: ${rule}` : `${file}: ${what}: ${rule}`;
}

/** A configuration that is refused. The message has one line a problem. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(problemLine).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

const addressKeys = new Set(['base', 'size', 'stride', 'vring1_offset', 'mu_base', 'scu_mu_base']);

export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** Prints a value of a configuration the way it is written in TOML; `key` decides about hexadecimal. */
export function printValue(key: string, value: unknown): string {
  if (typeof value === 'number') {
    const isAddress = addressKeys.has(key) && Number.isSafeInteger(value) && value >= 0;
    return isAddress ? hex(value) : String(value);
  }
  if (Array.isArray(value)) return `[${value.map((item) => printValue(key, item)).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([name, item]) => `${name} = ${printValue(name, item)}`,
    );
    return `{ ${members.join(', ')} }`;
  }
  return JSON.stringify(value) ?? 'nothing';
}
