// SPDX-License-Identifier: Apache-2.0
// What tests use of build.mjs.

/** Bundles src/; resolves with the paths of what went in, from the root of the checkout. */
export function buildBundles(options?: { folder?: string; release?: boolean }): Promise<string[]>;
