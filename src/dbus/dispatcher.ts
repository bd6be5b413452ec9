// SPDX-License-Identifier: Apache-2.0
// From a method call's header to the code that serves it, with every refusal D-Bus has a name for.

import { type CallHandler, DEFAULT_BODY_BYTES } from './bus.ts';
import type { BusLogger } from './bus-types.ts';
import { CallsInFlight } from './calls-in-flight.ts';
import type { Connection } from './connection.ts';
import { ErrorName, WireError } from './errors.ts';
import type { BoundMethod } from './implementation.ts';
import { type CallContext, MethodCall } from './method-call.ts';
import type { PathTree, PublishedObject } from './path-tree.ts';
import {
  introspectable,
  type PathTarget,
  peer,
  properties,
  standardInterfaces,
} from './standard-interfaces.ts';
import type { WireMessage } from './wire-message.ts';

interface Route {
  readonly method: BoundMethod;
  readonly target: unknown;
}

interface Refusal {
  readonly error: string;
  readonly text: string;
}

export interface DispatcherOptions {
  readonly root: string;
  readonly logger: BusLogger | undefined;
  readonly maxCallsPerSender: number;
  readonly maxCalls: number;
}

export class Dispatcher implements CallHandler, CallContext {
  readonly connection: Connection;
  readonly logger: BusLogger | undefined;
  readonly inFlight: CallsInFlight;
  readonly #tree: PathTree;
  readonly #root: string;

  constructor(connection: Connection, tree: PathTree, options: DispatcherOptions) {
    this.connection = connection;
    this.logger = options.logger;
    this.inFlight = new CallsInFlight(options.maxCallsPerSender, options.maxCalls);
    this.#tree = tree;
    this.#root = options.root;
  }

  bodyLimit(message: WireMessage): number {
    const route = this.#route(message);
    return ('method' in route && route.method.maxBodyBytes) || DEFAULT_BODY_BYTES;
  }

  settled(call: MethodCall): void {
    if (this.inFlight.total > 0) this.inFlight.remove(call);
  }

  call(message: WireMessage): void {
    const route = this.#route(message);
    if (!('method' in route)) {
      this.connection.sendError(message, route.error, route.text);
      return;
    }
    const refusal = this.#refusal(message, route.method);
    if (refusal !== undefined) {
      this.connection.sendError(message, refusal.error, refusal.text);
      return;
    }
    const call = new MethodCall(this, message, route.method);
    try {
      if (route.method.raw === undefined) this.#invoke(call, route);
      else this.#invokeRaw(call, route.target, route.method.raw);
    } catch (error) {
      call.fail(error);
    }
  }

  #invoke(call: MethodCall, { method, target }: Route): void {
    let args: unknown[];
    try {
      args = call.message.args();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.connection.sendError(call.message, ErrorName.invalidArgs, error.message);
      return;
    }
    const result = method.handler?.(target, call, ...(args as never[]));
    if (!(result instanceof Promise)) {
      call.finish(result);
      return;
    }
    this.#keep(call);
    result.then(
      (value) => call.finish(value),
      (error: unknown) => call.fail(error),
    );
  }

  #invokeRaw(call: MethodCall, target: unknown, raw: NonNullable<BoundMethod['raw']>): void {
    const { body, littleEndian } = call.message;
    const length = littleEndian ? body.readUInt32LE(0) : body.readUInt32BE(0);
    if (length !== body.length - 4) {
      this.connection.sendError(call.message, ErrorName.invalidArgs, 'the body is malformed');
      return;
    }
    raw(target, call, body.subarray(4));
    this.#keep(call);
  }

  /** A call that waits must not keep the receive buffer its body lies in. */
  #keep(call: MethodCall): void {
    if (call.settled) return;
    call.message.releaseBody();
    this.inFlight.add(call);
  }

  #refusal(message: WireMessage, method: BoundMethod): Refusal | undefined {
    if (message.signature !== method.inSignature) {
      const text = `${method.name} expects '${method.inSignature}', got '${message.signature}'`;
      return { error: ErrorName.invalidArgs, text };
    }
    if (message.oversized) {
      const limit = method.maxBodyBytes || DEFAULT_BODY_BYTES;
      const text = `a body of ${message.bodyLength} bytes; ${method.name} takes at most ${limit}`;
      return { error: ErrorName.limitsExceeded, text };
    }
    if (message.body.length === 0 && method.inSignature !== '') {
      return { error: ErrorName.invalidArgs, text: 'the body is missing' };
    }
    const text = this.inFlight.refusal(message.sender);
    return text === '' ? undefined : { error: ErrorName.limitsExceeded, text };
  }

  #route(message: WireMessage): Route | Refusal {
    const object = this.#tree.get(message.path);
    if (object !== undefined) {
      for (const { implementation, target } of object.interfaces) {
        if (message.interface !== '' && message.interface !== implementation.name) continue;
        const method = implementation.methods.get(message.member);
        if (method !== undefined) return { method, target };
      }
    }
    return this.#routeStandard(message, object);
  }

  #routeStandard(message: WireMessage, object: PublishedObject | undefined): Route | Refusal {
    const { path, interface: iface, member } = message;
    const exists = object !== undefined || this.#tree.children(path) !== undefined;
    for (const standard of this.#standardOf(path, object, exists)) {
      if (iface !== '' && iface !== standard.name) continue;
      const method = standard.methods.get(member);
      const target: PathTarget = { path, object, tree: this.#tree, root: this.#root };
      if (method !== undefined) return { method, target };
    }
    if (!exists) return { error: ErrorName.unknownObject, text: `there is no object at ${path}` };
    const known =
      iface === '' ||
      this.#standardOf(path, object, exists).some(({ name }) => name === iface) ||
      object?.interfaces.some(({ implementation }) => implementation.name === iface);
    return known
      ? { error: ErrorName.unknownMethod, text: `there is no method '${member}'` }
      : { error: ErrorName.unknownInterface, text: `the object has no interface '${iface}'` };
  }

  /** Ping needs no object; a path between objects can be introspected. */
  #standardOf(path: string, object: PublishedObject | undefined, exists: boolean) {
    if (path === this.#root && object !== undefined) return [...standardInterfaces.values()];
    if (object !== undefined) return [peer, introspectable, properties];
    return exists ? [peer, introspectable] : [peer];
  }
}
