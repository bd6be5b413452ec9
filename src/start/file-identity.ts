// SPDX-License-Identifier: Apache-2.0
// Whether a file is the one it was, without reading it.

import { statSync } from 'node:fs';

/** Differs once the file was written, replaced or removed; empty where there is none. */
export function fileIdentity(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch {
    return '';
  }
}
