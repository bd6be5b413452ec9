// SPDX-License-Identifier: Apache-2.0
// What a configuration asks for legally, and most likely not on purpose.

import type { Config } from '../config/index.ts';
import { noRemoteAdvice } from './status.ts';

/** Sentences for the log at start. */
export function warningsAbout({ remotes }: Config): string[] {
  return remotes.length === 0 ? [noRemoteAdvice] : [];
}
