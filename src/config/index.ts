// SPDX-License-Identifier: Apache-2.0
// The configuration as the daemon uses it.

export { type ConfigDiff, diffConfig } from './diff.ts';
export { type ConfigLocation, loadConfig } from './load.ts';
export { printConfig } from './print.ts';
export { ConfigError, type Problem } from './problems.ts';
export type * from './types.ts';
