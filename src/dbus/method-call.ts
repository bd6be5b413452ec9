// SPDX-License-Identifier: Apache-2.0
// One method call being served.

export type { MethodCall } from './index.ts';
