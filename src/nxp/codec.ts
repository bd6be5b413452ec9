// SPDX-License-Identifier: Apache-2.0
// Packets to bytes and back, by the tables of the services.

import { type Field, type Layout, largest } from './fields.ts';
import { decodeHead, encodeHead, type NxpHead, NxpType, nxpVersion } from './head.ts';
import type { NxpCommand, NxpService } from './service.ts';
import { commandOf, serviceOf } from './services.ts';

export type NxpValues = Readonly<Record<string, number>>;

/** A packet that was understood. */
export interface NxpPacket {
  readonly head: NxpHead;
  readonly service: NxpService;
  readonly command: NxpCommand;
  /** By field; those that the packet is too short for are not there. */
  readonly values: NxpValues;
  /** Of a layout that ends in data. */
  readonly data: Buffer | undefined;
}

/** One that was not, and why: a sentence that names the value and the rule. */
export interface NxpProblem {
  readonly problem: string;
}

/**
 * The request of a command, or the notification that it is; every field that `values` leaves out is 0.
 * @throws RangeError naming the field, the value and the rule
 */
export function encodeNxp(
  service: NxpService,
  command: NxpCommand,
  values: NxpValues,
  data: Uint8Array = new Uint8Array(0),
): Buffer {
  const { layout } = command;
  const all = { ...command.constants, ...values };
  const { data: ending } = layout;
  const lengthBytes = all[ending?.lengthField ?? ''] ?? data.length;
  const packet = Buffer.alloc(
    layout.sizeBytes + roomFor(layout, Math.max(lengthBytes, data.length)),
  );
  const type = command.kind === 'request' ? NxpType.request : NxpType.notification;
  const { category, priority } = service;
  encodeHead({ category, ...nxpVersion, type, command: command.number, priority }, packet);
  for (const name of Object.keys(all)) {
    if (!layout.fields.some((field) => field.name === name)) {
      throw new RangeError(`${service.name} ${command.name} has no field ${JSON.stringify(name)}`);
    }
  }
  for (const field of layout.fields) {
    const value = all[field.name] ?? (field.name === ending?.lengthField ? data.length : 0);
    checkValue(field, value);
    packet.writeUIntLE(value, field.offset, field.bytes);
  }
  packet.set(data, layout.sizeBytes);
  return packet;
}

function checkValue(field: Field, value: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= largest(field)) return;
  throw new RangeError(`${field.name} is a number from 0 to ${largest(field)}, not ${value}`);
}

/** Bytes at the end, for data that is sent, or asked for. */
function roomFor({ data }: Layout, lengthBytes: number): number {
  if (data === undefined) {
    if (lengthBytes === 0) return 0;
    throw new RangeError('this packet carries no data');
  }
  if (lengthBytes <= data.mostBytes) return Math.max(lengthBytes, data.paddedBytes);
  throw new RangeError(`data has 0 to ${data.mostBytes} bytes, not ${lengthBytes}`);
}

/** Any bytes may come: what is no packet of a known service is a problem. */
export function decodeNxp(payload: Uint8Array): NxpPacket | NxpProblem {
  const head = decodeHead(payload);
  if (head === undefined) {
    return { problem: `${payload.length} bytes are less than the 10 of a head` };
  }
  const service = serviceOf(head.category);
  if (service === undefined) return { problem: `there is no category ${head.category}` };
  const command = commandOf(service, head.type, head.command);
  if (command === undefined) {
    return { problem: `${service.name} has no ${typeName(head.type)} ${head.command}` };
  }
  const layout = head.type === NxpType.reply ? command.reply : command.layout;
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const problem = sizeProblem(layout, bytes);
  if (problem !== undefined) {
    return { problem: `${service.name} ${typeName(head.type)} ${command.name} ${problem}` };
  }
  const there = layout.fields.filter(({ offset, bytes: size }) => offset + size <= bytes.length);
  const values = Object.fromEntries(
    there.map((field) => [field.name, bytes.readUIntLE(field.offset, field.bytes)]),
  );
  return { head, service, command, values, data: dataOf(layout, bytes) };
}

/** What is wrong with the length of a packet. */
function sizeProblem(layout: Layout, bytes: Buffer): string | undefined {
  const { sizeBytes, leastBytes, data } = layout;
  if (data === undefined) {
    if (bytes.length >= leastBytes && bytes.length <= sizeBytes) return undefined;
    const right = leastBytes === sizeBytes ? `${sizeBytes}` : `${leastBytes} to ${sizeBytes}`;
    return `has ${bytes.length} bytes, and should have ${right}`;
  }
  if (bytes.length < sizeBytes) {
    return `has ${bytes.length} bytes, and should have ${sizeBytes} at least`;
  }
  const counted = countedBytes(layout, bytes);
  const behind = bytes.length - sizeBytes;
  const isPadded = behind === data.paddedBytes && counted <= behind;
  // What only acknowledges, or asks, may leave the bytes out.
  if (counted <= data.mostBytes && (behind === counted || behind === 0 || isPadded)) {
    return undefined;
  }
  return `counts ${counted} data bytes, and ${behind} are there`;
}

function countedBytes({ fields, data }: Layout, bytes: Buffer): number {
  const field = fields.find(({ name }) => name === data?.lengthField);
  return field === undefined ? 0 : bytes.readUIntLE(field.offset, field.bytes);
}

function dataOf(layout: Layout, bytes: Buffer): Buffer | undefined {
  if (layout.data === undefined) return undefined;
  const { sizeBytes } = layout;
  return bytes.subarray(sizeBytes, sizeBytes + countedBytes(layout, bytes));
}

/** "request", or "type 7". */
export function typeName(type: number): string {
  return ['request', 'reply', 'notification'][type] ?? `type ${type}`;
}
