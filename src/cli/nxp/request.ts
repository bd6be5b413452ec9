// SPDX-License-Identifier: Apache-2.0
// The words behind `rpmsgctl nxp`, read by the table of the service that they name.

import {
  encodeNxp,
  type NxpCommand,
  type NxpService,
  type NxpValues,
  nxpServices,
} from '../../nxp/index.ts';
import { nearest } from '../../util/nearest.ts';
import type { RpmsgctlError } from '../errors.ts';
import { usage } from '../options.ts';
import { parseValue } from './value.ts';

export interface NxpRequest {
  readonly service: NxpService;
  readonly command: NxpCommand;
  readonly values: NxpValues;
  readonly packet: Buffer;
}

/** @throws RpmsgctlError naming the word that is wrong and what may stand there */
export function readRequest(words: readonly string[]): {
  request: NxpRequest;
  /** The channel, where that was named and not the service. */
  channelName: string | undefined;
} {
  const [serviceName, commandName, ...rest] = words;
  const service = findService(serviceName);
  const command = findCommand(service, commandName);
  const { values, data } = readFields(service, command, rest);
  try {
    const packet = encodeNxp(service, command, values, data);
    const channelName = serviceName === service.name ? undefined : serviceName;
    return { request: { service, command, values, packet }, channelName };
  } catch (error) {
    throw seeHelp((error as Error).message);
  }
}

function findService(name: string | undefined): NxpService {
  const names = nxpServices.map((service) => service.name);
  if (name === undefined) throw seeHelp(`a service is missing: ${names.join(', ')}`);
  const found = nxpServices.find((one) => one.name === name || one.channels.includes(name));
  if (found !== undefined) return found;
  throw seeHelp(`there is no service ${JSON.stringify(name)}${guess(name, names)}`);
}

/** What a remote sends cannot be asked for. */
export function askableCommands(service: NxpService): readonly NxpCommand[] {
  return service.commands.filter(({ kind }) => kind !== 'remote-notification');
}

function findCommand(service: NxpService, name: string | undefined): NxpCommand {
  const commands = askableCommands(service);
  const names = commands.map((command) => command.name);
  if (name === undefined)
    throw seeHelp(`a command is missing: ${service.name} has ${names.join(', ')}`);
  const found = commands.find((command) => command.name === name);
  if (found !== undefined) return found;
  throw seeHelp(`${service.name} has no command ${JSON.stringify(name)}${guess(name, names)}`);
}

function guess(name: string, names: readonly string[]): string {
  const meant = nearest(name, names);
  return meant === undefined ? `; there are ${names.join(', ')}` : `; did you mean ${meant}?`;
}

function readFields(
  service: NxpService,
  command: NxpCommand,
  words: readonly string[],
): { values: NxpValues; data: Buffer | undefined } {
  const usageLine = usageOf(service, command);
  const isNamed = (word: string) => /^[a-z-]+=/.test(word);
  const plain = words.filter((word) => !isNamed(word));
  const takesData = command.operands.at(-1) === 'data';
  const operands = takesData ? command.operands.slice(0, -1) : command.operands;
  const least = takesData ? operands.length : command.leastOperands;
  if (plain.length < least) throw seeHelp(`${operands[plain.length]} is missing: ${usageLine}`);
  const stray = plain[operands.length];
  if (stray !== undefined && !takesData) {
    throw seeHelp(`${JSON.stringify(stray)} means nothing: ${usageLine}`);
  }
  const values: Record<string, number> = {};
  const give = (name: string, word: string) => {
    const field = command.layout.fields.find((one) => one.name === name);
    if (field === undefined) {
      const names = command.layout.fields.map((one) => one.name).join(', ');
      throw seeHelp(`${service.name} ${command.name} has no field ${name}; it has ${names}`);
    }
    if (name in values) throw seeHelp(`${name} is given twice: ${usageLine}`);
    values[name] = parseValue(field, word);
  };
  operands.forEach((name, index) => {
    const word = plain[index];
    if (word !== undefined) give(name, word);
  });
  for (const word of words.filter(isNamed)) {
    const at = word.indexOf('=');
    give(word.slice(0, at), word.slice(at + 1));
  }
  return { values, data: takesData ? readBytes(plain.slice(operands.length)) : undefined };
}

function readBytes(words: readonly string[]): Buffer {
  const digits = words.join('');
  if (/^(?:[0-9a-fA-F]{2})*$/.test(digits)) return Buffer.from(digits, 'hex');
  throw seeHelp(`data is pairs of hexadecimal digits, not ${JSON.stringify(words.join(' '))}`);
}

/** "gpio input PORT PIN [TRIGGER] [WAKEUP]". */
export function usageOf(service: NxpService, command: NxpCommand): string {
  const operands = command.operands.map((name, index) => {
    if (name === 'data') return 'HEX...';
    const word = name.toUpperCase();
    return index < command.leastOperands ? word : `[${word}]`;
  });
  return [service.name, command.name, ...operands].join(' ');
}

function seeHelp(message: string): RpmsgctlError {
  return usage(`${message}; see rpmsgctl nxp --help`);
}
