// SPDX-License-Identifier: Apache-2.0
// Errors that travel over the bus, and the standard names they travel under.

/** Standard error names (D-Bus specification and libdbus's dbus-protocol.h). */
export const ErrorName = {
  failed: 'org.freedesktop.DBus.Error.Failed',
  noReply: 'org.freedesktop.DBus.Error.NoReply',
  disconnected: 'org.freedesktop.DBus.Error.Disconnected',
  accessDenied: 'org.freedesktop.DBus.Error.AccessDenied',
  limitsExceeded: 'org.freedesktop.DBus.Error.LimitsExceeded',
  notSupported: 'org.freedesktop.DBus.Error.NotSupported',
  invalidArgs: 'org.freedesktop.DBus.Error.InvalidArgs',
  unknownObject: 'org.freedesktop.DBus.Error.UnknownObject',
  unknownInterface: 'org.freedesktop.DBus.Error.UnknownInterface',
  unknownMethod: 'org.freedesktop.DBus.Error.UnknownMethod',
  unknownProperty: 'org.freedesktop.DBus.Error.UnknownProperty',
  propertyReadOnly: 'org.freedesktop.DBus.Error.PropertyReadOnly',
  inconsistentMessage: 'org.freedesktop.DBus.Error.InconsistentMessage',
  nameHasNoOwner: 'org.freedesktop.DBus.Error.NameHasNoOwner',
} as const;

/**
 * An error with a D-Bus name. Thrown by a handler it is what the caller receives, name and message
 * alike; received from a peer it is what a call rejects with.
 */
export class BusError extends Error {
  override readonly name: string;

  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** Bytes or values that D-Bus cannot carry. The only error the codec throws. */
export class WireError extends Error {
  override readonly name = 'WireError';
}
