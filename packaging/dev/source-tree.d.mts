// SPDX-License-Identifier: Apache-2.0
// What tests use of source-tree.mjs.

/** Folders of node_modules that a package build needs, as the lock file resolves them. */
export function vendoredPackages(lock: { packages: object }): string[];
