// SPDX-License-Identifier: Apache-2.0
// Waiting for something on the other side of a machine's wall, where no event reaches us.

const intervalMs = 50;

/** Looks again and again until `isSo`; an Error that says `what` was awaited after `deadlineS`. */
export async function until(
  what: string | (() => string),
  isSo: () => Promise<boolean> | boolean,
  deadlineS = 30,
): Promise<void> {
  const end = performance.now() + deadlineS * 1000;
  while (!(await isSo())) {
    if (performance.now() > end) {
      const text = typeof what === 'string' ? what : what();
      throw new Error(`not so after ${deadlineS} s: ${text}`);
    }
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}
