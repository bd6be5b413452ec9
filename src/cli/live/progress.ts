// SPDX-License-Identifier: Apache-2.0
// How far long work has come, for whoever sits and waits.

import type { CommandContext } from '../verb.ts';

const everyMs = 1000;

/** Tells it once a second on a terminal, and not at all elsewhere, until what is returned is called. */
export function showProgress({ terminal, complain }: CommandContext, text: () => string) {
  if (!terminal.isTerminal) return () => {};
  const timer = setInterval(() => complain(text()), everyMs);
  return () => clearInterval(timer);
}
