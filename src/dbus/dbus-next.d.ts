// SPDX-License-Identifier: Apache-2.0
// The parts of dbus-next that are used, typed as they are (its own types differ from its code).

declare module 'dbus-next/lib/variant.js' {
  class Variant<T = unknown> {
    constructor(signature: string, value: T);
    signature: string;
    value: T;
  }
  const exports: { Variant: typeof Variant };
  export default exports;
  export type { Variant };
}

declare module 'dbus-next/lib/errors.js' {
  class DBusError extends Error {
    constructor(type: string, text?: string, reply?: unknown);
    type: string;
    text: string;
  }
  const exports: { DBusError: typeof DBusError };
  export default exports;
  export type { DBusError };
}

declare module 'dbus-next/lib/validators.js' {
  const exports: {
    isBusNameValid(name: unknown): boolean;
    isObjectPathValid(path: unknown): boolean;
    isInterfaceNameValid(name: unknown): boolean;
    isMemberNameValid(name: unknown): boolean;
  };
  export default exports;
}

declare module 'dbus-next/lib/message-type.js' {
  interface MessageFields {
    type?: number;
    serial?: number;
    path?: string | undefined;
    interface?: string | undefined;
    member?: string | undefined;
    errorName?: string | undefined;
    replySerial?: number | undefined;
    destination?: string | undefined;
    sender?: string | undefined;
    signature?: string;
    body?: readonly unknown[];
    flags?: number;
  }
  class Message {
    constructor(fields: MessageFields);
    type: number;
    serial: number | null;
    path: string | undefined;
    interface: string | undefined;
    member: string | undefined;
    errorName: string | undefined;
    replySerial: number | undefined;
    destination: string | undefined;
    sender: string | undefined;
    signature: string;
    body: unknown[];
    flags: number;
  }
  const exports: { Message: typeof Message };
  export default exports;
  export type { Message };
}

declare module 'dbus-next/lib/bus.js' {
  import type { EventEmitter } from 'node:events';
  import type { Message } from 'dbus-next/lib/message-type.js';

  interface BusConnection extends EventEmitter {
    readonly stream: { end(): void; readonly writable: boolean };
    message(message: Message): void;
  }
  class MessageBus extends EventEmitter {
    constructor(connection: BusConnection);
    name: string | null;
    /** Replies waited for, by serial. */
    protected _methodReturnHandlers: Record<number, (reply: Message) => void>;
    call(message: Message): Promise<Message | null>;
    send(message: Message): void;
    newSerial(): number;
  }
  export default MessageBus;
  export type { BusConnection };
}
