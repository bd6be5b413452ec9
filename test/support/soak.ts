// SPDX-License-Identifier: Apache-2.0
// How long the long tests are: a tenth in CI, everything under `npm run soak`.

/** `npm run soak` is running. */
export const isSoak = process.env['RPMSGD_SOAK'] === '1';

/** So many of `whole` are due. */
export function tenth(whole: number): number {
  return isSoak ? whole : Math.ceil(whole / 10);
}
