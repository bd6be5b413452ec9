// SPDX-License-Identifier: Apache-2.0
// What tests use of man-bus.mjs.

/** The page org.rpmsg(5); `@VERSION@` stands for the version. */
export function busManPage(): string;
