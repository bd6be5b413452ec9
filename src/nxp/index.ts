// SPDX-License-Identifier: Apache-2.0
// NXP's services as the rest of the program sees them.

export {
  decodeNxp,
  encodeNxp,
  type NxpPacket,
  type NxpProblem,
  type NxpValues,
  typeName,
} from './codec.ts';
export { describeNxp } from './describe.ts';
export { type Field, largest, valueText } from './fields.ts';
export {
  decodeHead,
  isKnownVersion,
  type NxpHead,
  NxpType,
  nxpVersion,
  versionText,
} from './head.ts';
export type { NxpCommand, NxpService } from './service.ts';
export { commandOf, nxpServices, serviceOf } from './services.ts';
