// SPDX-License-Identifier: Apache-2.0
// How many tests passed, failed and were skipped: read from what doctest and vitest print, added up
// over all runners, printed as the one line that CI reads.

import { existsSync, readFileSync, rmSync } from 'node:fs';

export const none = Object.freeze({ passed: 0, failed: 0, skipped: 0 });
export const onePassed = Object.freeze({ passed: 1, failed: 0, skipped: 0 });
export const oneFailed = Object.freeze({ passed: 0, failed: 1, skipped: 0 });

export function add(a, b) {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  };
}

/** The sum as its one line: `N passed, N failed`, and `, N skipped` if any were. */
export function line({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** Reads the last such line of `output`; undefined when there is none. */
export function parseLine(output) {
  const found = [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1);
  if (!found) return undefined;
  return { passed: Number(found[1]), failed: Number(found[2]), skipped: Number(found[3] ?? 0) };
}

/** Reads doctest's summary; undefined when the program ended before it printed one. */
export function parseDoctest(output) {
  const found = output.match(
    /test cases:\s+\d+ \|\s+(\d+) passed \|\s+(\d+) failed \|\s+(\d+) skip/,
  );
  if (!found) return undefined;
  return { passed: Number(found[1]), failed: Number(found[2]), skipped: Number(found[3]) };
}

/** Reads and removes vitest's JSON report; undefined when vitest ended before it wrote one. */
export function takeVitestReport(path) {
  if (!existsSync(path)) return undefined;
  const report = JSON.parse(readFileSync(path, 'utf8'));
  rmSync(path);
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/**
 * What a runner counts for: its own numbers, and one failure more when it ended badly without
 * saying which test failed.
 */
export function verdict(result, counts) {
  const endedWell = result.code === 0 && !result.timedOut;
  if (!counts) return oneFailed;
  return endedWell || counts.failed > 0 ? counts : add(counts, oneFailed);
}
