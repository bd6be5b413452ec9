// SPDX-License-Identifier: Apache-2.0
// Finding files of the checkout.

import { readdirSync } from 'node:fs';

/** Every file below `folder` (a URL that ends in a slash) whose path `pattern` matches. */
export function filesBelow(folder: URL, pattern: RegExp): URL[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const url = new URL(entry.isDirectory() ? `${entry.name}/` : entry.name, folder);
    if (entry.isDirectory()) return filesBelow(url, pattern);
    return pattern.test(url.pathname) ? [url] : [];
  });
}
