// SPDX-License-Identifier: Apache-2.0
// The configuration as the daemon uses it.

export { liveTree } from '../devicetree/index.ts';
export { type ConfigDiff, diffConfig } from './diff.ts';
export { lookedFor } from './discovery/discover.ts';
export {
  type ConfigLocation,
  configOrigins,
  loadConfig,
  loadExplained,
  type OriginOf,
} from './load.ts';
export { printConfig } from './print.ts';
export { ConfigError, hex, type Problem, problemLine } from './problems.ts';
export { configDirectories } from './sources.ts';
export { ttyDefaults } from './tty-names.ts';
export type * from './types.ts';
