// SPDX-License-Identifier: Apache-2.0
// The bus as the rest of the program sees it.

export { Bus, type CallOptions, type Subscription } from './bus.ts';
export type { BusLogger, BusOptions } from './bus-types.ts';
export { ClientRegistry, type Credentials } from './clients.ts';
export { connectBus, connectBusStream } from './connect.ts';
export { BusError, ErrorName, WireError } from './errors.ts';
export { defineInterface, type ExportedInterface, type Implementation } from './implementation.ts';
export type * from './interface-definition.ts';
export { isObjectPathValid, Variant } from './message-model.ts';
export { MethodCall } from './method-call.ts';
export { ObjectTree, type ObjectTreeOptions } from './object-tree.ts';
export type { SendFds } from './outbox.ts';
export { ReceivedFd } from './received-fds.ts';
export type { ReceivedSignal, SignalRule } from './signal-router.ts';
