// SPDX-License-Identifier: Apache-2.0
// Values of options, checked: an error names the option, the value and the rule.

import { CliStatus, RpmsgctlError } from './errors.ts';
import type { OptionValues } from './verb.ts';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000 };
const longestMs = 7 * 24 * 3_600_000;

/** One of `choices`, of which the first stands for an option that is not given. */
export function choiceOption<Choice extends string>(
  options: OptionValues,
  name: string,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  const value = options[name];
  if (value === undefined) return choices[0];
  const choice = choices.find((one) => one === value);
  if (choice !== undefined) return choice;
  throw usage(`--${name} is ${choices.join(' or ')}, not ${JSON.stringify(value)}`);
}

/** A number in decimal; undefined if the option is not given. */
export function numberOption(
  options: OptionValues,
  name: string,
  least: number,
  most: number,
): number | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  const number = /^\d{1,15}$/.test(String(value)) ? Number(value) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw usage(`--${name} is a number from ${least} to ${most}, not ${JSON.stringify(value)}`);
}

/** A time in ms: seconds, or with the unit `ms`, `s` or `min`; undefined if the option is not given. */
export function timeOption(options: OptionValues, name: string, leastMs = 0): number | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  const [, digits, unit = 's'] = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|min)?$/.exec(String(value)) ?? [];
  const timeMs = Number(digits ?? Number.NaN) * (unitMs[unit] ?? 1);
  if (timeMs >= leastMs && timeMs <= longestMs) return timeMs;
  const least = leastMs === 0 ? '' : ` of at least ${leastMs}ms`;
  const rule = `a time${least} and at most 7 days, as 500ms, 2s, 1min or 2 (seconds)`;
  throw usage(`--${name} is ${rule}, not ${JSON.stringify(value)}`);
}

export function usage(message: string): RpmsgctlError {
  return new RpmsgctlError(CliStatus.usage, message);
}
