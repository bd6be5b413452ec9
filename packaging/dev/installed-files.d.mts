// SPDX-License-Identifier: Apache-2.0
// What tests use of installed-files.mjs.

export const files: {
  /** [source in the checkout, where it is installed] */
  readonly plain: readonly (readonly [string, string])[];
};
