// SPDX-License-Identifier: Apache-2.0
// Values of options, checked: an error names the option, the value and the rule.

import { CliStatus, RpmsgctlError } from './errors.ts';
import type { OptionValues } from './verb.ts';

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

export function usage(message: string): RpmsgctlError {
  return new RpmsgctlError(CliStatus.usage, message);
}
