// SPDX-License-Identifier: Apache-2.0
// Checks that plain data has the shape its type says, fast enough for thousands of records while a
// remote waits for this process to start.

/** Whether it is what it should be. */
export type Check = (value: unknown) => boolean;

export const text: Check = (value) => typeof value === 'string';
export const flag: Check = (value) => typeof value === 'boolean';

export function integer(least: number, most: number): Check {
  return (value) => Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most;
}

export function oneOf(...words: readonly string[]): Check {
  return (value) => words.includes(value as string);
}

export function list(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

/** An object with all of `needed`, any of `optional`, and nothing else. */
export function record(
  needed: Readonly<Record<string, Check>>,
  optional: Readonly<Record<string, Check>> = {},
): Check {
  const checks = new Map([...Object.entries(needed), ...Object.entries(optional)]);
  const names = Object.keys(needed);
  return (value) => {
    if (typeof value !== 'object' || value === null) return false;
    const isRight = ([key, entry]: [string, unknown]) => checks.get(key)?.(entry) === true;
    return (
      Object.entries(value).every(isRight) && names.every((name) => Object.hasOwn(value, name))
    );
  };
}
