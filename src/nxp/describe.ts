// SPDX-License-Identifier: Apache-2.0
// One line for people about a packet.

import { decodeNxp, type NxpPacket, typeName } from './codec.ts';
import { valueText } from './fields.ts';
import { decodeHead, headBytes, isKnownVersion, NxpType } from './head.ts';
import { commandOf, serviceOf } from './services.ts';

/**
 * What a message says if it is a packet of one of NXP's services, as `gpio reply get: port 3, pin 4, ok,
 * value 1`. Undefined if it is not: category, version, type, the reserved bytes of the head and the
 * length must all be right, since nothing else marks such a packet. A command that is not known goes by
 * its number.
 * @param channel the channel's name, where it is known: another service's packet is then none
 */
export function describeNxp(payload: Uint8Array, channel?: string): string | undefined {
  const head = decodeHead(payload);
  if (head === undefined || !isKnownVersion(head) || head.type > NxpType.notification)
    return undefined;
  const service = serviceOf(head.category);
  if (service === undefined || head.priority > service.priority) return undefined;
  if (channel !== undefined && !service.channels.includes(channel)) return undefined;
  if (payload.subarray(6, headBytes).some((byte) => byte !== 0)) return undefined;
  const packet = decodeNxp(payload);
  if (!('problem' in packet)) return lineOf(packet);
  if (commandOf(service, head.type, head.command) !== undefined) return undefined;
  const sizes = service.commands.flatMap(({ layout, reply }) => [
    layout.sizeBytes,
    reply.sizeBytes,
  ]);
  if (!sizes.includes(payload.length)) return undefined;
  return `${service.name} ${typeName(head.type)} command ${head.command}`;
}

function lineOf(packet: NxpPacket): string {
  const { head, service, command } = packet;
  const parts = partsOf(packet);
  const title = `${service.name} ${typeName(head.type)} ${command.name}`;
  return parts.length === 0 ? title : `${title}: ${parts.join(', ')}`;
}

function partsOf({ head, service, command, values, data }: NxpPacket): string[] {
  const isReply = head.type === NxpType.reply;
  const layout = isReply ? command.reply : command.layout;
  const names = isReply
    ? [...service.keys, service.code.field, ...command.results]
    : command.operands;
  return [...new Set(names)].flatMap((name) => {
    if (name === 'data') return [`data ${data?.toString('hex') ?? ''}`];
    const field = layout.fields.find((one) => one.name === name);
    const value = values[name];
    if (field === undefined || value === undefined) return [];
    const text = valueText(field, value);
    return name === service.code.field && isReply && text !== String(value)
      ? [text]
      : [`${name} ${text}`];
  });
}
