// SPDX-License-Identifier: Apache-2.0
// What a check of `rpmsgctl doctor` says.

export type FindingState = 'ok' | 'warn' | 'fail';

export interface Finding {
  readonly state: FindingState;
  /** What was looked at, in a word or two. */
  readonly check: string;
  /** How it is. */
  readonly text: string;
  /** What to do about it; always there unless it is ok. */
  readonly remedy?: string;
}

export function ok(check: string, text: string): Finding {
  return { state: 'ok', check, text };
}

/** It works, or may; something is likely to be in the way sooner or later. */
export function warn(check: string, text: string, remedy: string): Finding {
  return { state: 'warn', check, text, remedy };
}

/** It cannot work like that. */
export function fail(check: string, text: string, remedy: string): Finding {
  return { state: 'fail', check, text, remedy };
}

const labels: Readonly<Record<FindingState, string>> = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' };

/** One line a finding. */
export function printFindings(findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ check }) => check.length));
  return findings
    .map(({ state, check, text, remedy }) => {
      const advice = remedy === undefined ? '' : `: ${remedy}`;
      return `${labels[state]}  ${check.padEnd(width)}  ${text}${advice}\n`;
    })
    .join('');
}
