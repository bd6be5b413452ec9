// SPDX-License-Identifier: Apache-2.0
// The only importer of dbus-next. It gives the message model, the validators, the variant and the
// bus; its transport, its codec and its export layer are not used (ARCHITECTURE.md says why).

import MessageBus, { type BusConnection } from 'dbus-next/lib/bus.js';
import errors from 'dbus-next/lib/errors.js';
import messages, { type Message as MessageType } from 'dbus-next/lib/message-type.js';
import validators from 'dbus-next/lib/validators.js';
import variants, { type Variant as VariantType } from 'dbus-next/lib/variant.js';

export const { DBusError } = errors;
export const { Message } = messages;
export type Message = MessageType;
export const { Variant } = variants;
export type Variant<T = unknown> = VariantType<T>;
export const { isBusNameValid, isInterfaceNameValid, isMemberNameValid } = validators;
export type { BusConnection };
export { MessageBus };

const OBJECT_PATH = /^\/(?:[A-Za-z0-9_]+(?:\/[A-Za-z0-9_]+)*)?$/;

/** One expression instead of dbus-next's split: paths are checked on the way of every message. */
export function isObjectPathValid(path: unknown): path is string {
  return typeof path === 'string' && OBJECT_PATH.test(path);
}
