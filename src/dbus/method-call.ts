// SPDX-License-Identifier: Apache-2.0
// One method call being served: who calls, and the one answer it gets.

import type { BusLogger } from './bus-types.ts';
import type { Connection } from './connection.ts';
import { BusError, ErrorName } from './errors.ts';
import type { BoundMethod } from './implementation.ts';
import { isInterfaceNameValid } from './message-model.ts';
import type { WireMessage } from './wire-message.ts';

/** What a call needs of the tree that serves it. */
export interface CallContext {
  readonly connection: Connection;
  readonly logger: BusLogger | undefined;
  settled(call: MethodCall): void;
}

export class MethodCall {
  /** The header; its body is only there until the handler returns. */
  readonly message: WireMessage;
  readonly #context: CallContext;
  readonly #method: BoundMethod;
  #settled = false;
  #onVanish: (() => void) | undefined;

  constructor(context: CallContext, message: WireMessage, method: BoundMethod) {
    this.#context = context;
    this.message = message;
    this.#method = method;
  }

  /** The caller's unique name. */
  get sender(): string {
    return this.message.sender;
  }

  get path(): string {
    return this.message.path;
  }

  get interface(): string {
    return this.#method.interface;
  }

  get member(): string {
    return this.#method.name;
  }

  get serial(): number {
    return this.message.serial;
  }

  /** The caller does not want to hear of the outcome: nothing will be sent. */
  get noReply(): boolean {
    return this.message.noReply;
  }

  /** Whether the answer may have descriptors in it. */
  get canReturnFds(): boolean {
    return this.#context.connection.canPassFds;
  }

  /** Answered, or the caller is gone. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Runs `callback` once if the caller leaves the bus before it is answered. */
  onVanish(callback: () => void): void {
    this.#onVanish = callback;
  }

  /** Calls back right before the answer, given before, goes to the kernel. */
  onceLeaving(callback: () => void): void {
    this.#context.connection.onceLeaving(callback);
  }

  /** Calls back once the answer, given before, is in the kernel's hands. */
  onceWritten(callback: () => void): void {
    this.#context.connection.onceWritten(callback);
  }

  replyEmpty(): void {
    if (!this.#settle()) return;
    if (this.#method.outCount === 0) this.#context.connection.sendEmptyReply(this.message);
    else this.#failed(new Error('an answer without a value, where the interface has one'));
  }

  /** Answers with the out arguments. */
  reply(...out: unknown[]): void {
    if (!this.#settle()) return;
    try {
      this.#context.connection.sendReply(this.message, this.#method.outSignature, out);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Answers with what a handler returned. */
  finish(result: unknown): void {
    const { outCount } = this.#method;
    if (outCount === 0) this.replyEmpty();
    else if (outCount === 1) this.reply(result);
    else if (Array.isArray(result)) this.reply(...result);
    else this.fail(new Error(`an array of ${outCount} values was expected from the handler`));
  }

  /** Answers with an error: a BusError as it is, any other as Failed, its details only logged. */
  fail(error: unknown): void {
    if (this.#settle()) this.#failed(error);
  }

  /** The caller is gone: nothing is sent, and who waits on its behalf is told. */
  abandon(): void {
    if (!this.#settle()) return;
    try {
      this.#onVanish?.();
    } catch (error) {
      this.#log(error);
    }
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#context.settled(this);
    return true;
  }

  #failed(error: unknown): void {
    const { connection } = this.#context;
    if (error instanceof BusError && isInterfaceNameValid(error.name)) {
      connection.sendError(this.message, error.name, error.message);
      return;
    }
    this.#log(error);
    connection.sendError(this.message, ErrorName.failed, 'internal error');
  }

  #log(error: unknown): void {
    const { sender, path, interface: iface, member } = this;
    this.#context.logger?.error({ err: error, sender, path, iface, member }, 'method call failed');
  }
}
