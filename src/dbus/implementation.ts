// SPDX-License-Identifier: Apache-2.0
// An interface joined to its code, once for all objects that have it: the tables that dispatch uses.

import { BusError, ErrorName } from './errors.ts';
import type {
  CompiledXml,
  InterfaceHandlers,
  MethodHandler,
  PropertySpec,
  RawMethodHandler,
} from './interface-definition.ts';

/** Left out of GetManagedObjects and InterfacesAdded: what is large or always out of date. */
const OMIT_ANNOTATION = 'org.rpmsg.OmitFromManagedObjects';

export interface BoundMethod {
  readonly interface: string;
  readonly name: string;
  readonly inSignature: string;
  readonly outSignature: string;
  readonly outCount: number;
  readonly handler: MethodHandler<unknown> | undefined;
  readonly raw: RawMethodHandler<unknown> | undefined;
  /** 0 stands for the default. */
  readonly maxBodyBytes: number;
}

export interface BoundProperty {
  readonly name: string;
  readonly spec: PropertySpec;
  readonly omitted: boolean;
  readonly get: ((target: unknown) => unknown) | undefined;
  readonly set: ((target: unknown, value: never, call: never) => unknown) | undefined;
}

/** One interface of one object. */
export interface ExportedInterface {
  readonly implementation: Implementation<never>;
  readonly target: unknown;
}

export class Implementation<T> {
  readonly definition: CompiledXml;
  readonly methods: ReadonlyMap<string, BoundMethod>;
  readonly properties: ReadonlyMap<string, BoundProperty>;
  readonly signals: ReadonlyMap<string, string>;

  /** Use `defineInterface`. */
  constructor(definition: CompiledXml, handlers: InterfaceHandlers<T>) {
    this.definition = definition;
    this.methods = bindMethods(definition, handlers as InterfaceHandlers<unknown>);
    this.properties = bindProperties(definition, handlers as InterfaceHandlers<unknown>);
    this.signals = new Map(
      Object.entries(definition.spec.signals).map(([name, { args }]) => [name, signatureOf(args)]),
    );
  }

  get name(): string {
    return this.definition.spec.name;
  }

  /** The interface of the object behind which `target` is. */
  of(target: T): ExportedInterface {
    return { implementation: this as unknown as Implementation<never>, target };
  }
}

/**
 * Joins an interface and its code.
 * @throws Error naming a method or property that is in the XML or in the handlers alone
 */
export function defineInterface<T>(
  definition: CompiledXml,
  handlers: InterfaceHandlers<T>,
): Implementation<T> {
  return new Implementation(definition, handlers);
}

export function signatureOf(args: readonly { readonly type: string }[]): string {
  return args.map(({ type }) => type).join('');
}

/** A property's value. @throws BusError when the property cannot be read */
export function readProperty(exported: ExportedInterface, property: BoundProperty): unknown {
  if (property.get === undefined) {
    throw new BusError(ErrorName.accessDenied, `property ${property.name} is write-only`);
  }
  return property.get(exported.target);
}

function bindMethods(
  { spec }: CompiledXml,
  { methods = {}, rawMethods = {}, maxBodyBytes = {} }: InterfaceHandlers<unknown>,
): Map<string, BoundMethod> {
  const served = { ...methods, ...rawMethods };
  checkSame(spec.name, 'method', Object.keys(spec.methods), Object.keys(served));
  checkSubset(spec.name, 'maxBodyBytes', Object.keys(maxBodyBytes), spec.methods);
  const bound = new Map<string, BoundMethod>();
  for (const [name, method] of Object.entries(spec.methods)) {
    const inSignature = signatureOf(method.in);
    const raw = own(rawMethods, name);
    if (raw !== undefined && inSignature !== 'ay') {
      throw new Error(`${spec.name}.${name}: a raw method takes 'ay', not '${inSignature}'`);
    }
    bound.set(name, {
      interface: spec.name,
      name,
      inSignature,
      outSignature: signatureOf(method.out),
      outCount: method.out.length,
      handler: own(methods, name),
      raw,
      maxBodyBytes: own(maxBodyBytes, name) ?? 0,
    });
  }
  return bound;
}

function bindProperties(
  { spec }: CompiledXml,
  { properties = {}, setters = {} }: InterfaceHandlers<unknown>,
): Map<string, BoundProperty> {
  const all = Object.entries(spec.properties);
  const readable = all.filter(([, { access }]) => access !== 'write').map(([name]) => name);
  const writable = all.filter(([, { access }]) => access !== 'read').map(([name]) => name);
  checkSame(spec.name, 'property', readable, Object.keys(properties));
  checkSame(spec.name, 'property setter', writable, Object.keys(setters));
  return new Map(
    all.map(([name, property]) => [
      name,
      {
        name,
        spec: property,
        omitted: property.annotations[OMIT_ANNOTATION] === 'true',
        get: own(properties, name),
        set: own(setters, name),
      },
    ]),
  );
}

function own<V>(table: Readonly<Record<string, V>>, name: string): V | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function checkSame(iface: string, kind: string, wanted: string[], given: string[]): void {
  const missing = wanted.filter((name) => !given.includes(name));
  const extra = given.filter((name) => !wanted.includes(name));
  if (missing.length > 0) throw new Error(`${iface}: ${kind} ${missing.join(', ')} has no code`);
  if (extra.length > 0) throw new Error(`${iface}: ${kind} ${extra.join(', ')} is not in the XML`);
}

function checkSubset(iface: string, kind: string, given: string[], table: object): void {
  const extra = given.filter((name) => !Object.hasOwn(table, name));
  if (extra.length > 0) throw new Error(`${iface}: ${kind} ${extra.join(', ')} is not in the XML`);
}
