// SPDX-License-Identifier: Apache-2.0
// What this program calls itself.

// By its name: the rest of the file is not for the bundle.
export { version } from '../../package.json';

/** Of the D-Bus interfaces: they only grow, so this changes with new names only. */
export const busApiVersion = '1';
