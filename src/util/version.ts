// SPDX-License-Identifier: Apache-2.0
// What this program calls itself.

import manifest from '../../package.json' with { type: 'json' };

export const version: string = manifest.version;

/** Of the D-Bus interfaces: they only grow, so this changes with new names only. */
export const busApiVersion = '1';
