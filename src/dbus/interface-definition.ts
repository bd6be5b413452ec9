// SPDX-License-Identifier: Apache-2.0
// An interface as its XML describes it, joined to the code that serves it. The XML is compiled at
// build time (packaging/dev/interface-xml.mjs); the join is checked once, when a module is loaded.

import type { MethodCall } from './method-call.ts';

export interface ArgumentSpec {
  readonly name: string;
  /** A single complete type. */
  readonly type: string;
}

export interface MethodSpec {
  readonly in: readonly ArgumentSpec[];
  readonly out: readonly ArgumentSpec[];
  readonly annotations: Readonly<Record<string, string>>;
}

export interface SignalSpec {
  readonly args: readonly ArgumentSpec[];
  readonly annotations: Readonly<Record<string, string>>;
}

export interface PropertySpec {
  readonly type: string;
  readonly access: 'read' | 'write' | 'readwrite';
  /** From the annotation EmitsChangedSignal, the property's own or else the interface's. */
  readonly emitsChanged: 'true' | 'false' | 'invalidates' | 'const';
  readonly annotations: Readonly<Record<string, string>>;
}

export interface InterfaceSpec {
  readonly name: string;
  readonly methods: Readonly<Record<string, MethodSpec>>;
  readonly signals: Readonly<Record<string, SignalSpec>>;
  readonly properties: Readonly<Record<string, PropertySpec>>;
}

/** What `import definition from '../../dbus/org.example.xml'` yields. */
export interface CompiledXml {
  /** The `<interface>` element, without comments, as introspection serves it. */
  readonly xml: string;
  readonly spec: InterfaceSpec;
}

/**
 * Serves one method. `args` are decoded and match the signature in the XML (integers are numbers,
 * `x` and `t` are bigint, `ay` is a Buffer that must be copied to be kept past the first await,
 * `a{s?}` is an object without prototype, other dictionaries are a Map, `v` is a Variant).
 * The result, or what its promise yields, is the reply: nothing for no out argument, the value for
 * one, an array of values for several. A BusError is sent as it is; anything else thrown is
 * logged and sent as Failed, without details.
 */
export type MethodHandler<T> = (target: T, call: MethodCall, ...args: never[]) => unknown;

/**
 * Serves a method whose whole input is one `ay` without decoding or promises. It ends in exactly one
 * of `call.replyEmpty()`, `call.reply(…)` and `call.fail(…)`, now or later. `payload` lies in the
 * receive buffer: copy what is kept after the handler has returned.
 */
export type RawMethodHandler<T> = (target: T, call: MethodCall, payload: Buffer) => void;

export interface InterfaceHandlers<T> {
  /** Reads a property: the value of the XML's type, not a Variant. Must not throw. */
  readonly properties?: Readonly<Record<string, (target: T) => unknown>>;
  /** Writes a property whose access allows it. */
  readonly setters?: Readonly<
    Record<string, (target: T, value: never, call: MethodCall) => void | Promise<void>>
  >;
  readonly methods?: Readonly<Record<string, MethodHandler<T>>>;
  readonly rawMethods?: Readonly<Record<string, RawMethodHandler<T>>>;
  /** Bytes a call's body may have where the default of 64 KiB is too little. */
  readonly maxBodyBytes?: Readonly<Record<string, number>>;
}
