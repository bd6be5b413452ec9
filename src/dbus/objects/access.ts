// SPDX-License-Identifier: Apache-2.0
// What the bus policy cannot decide, since it sees no arguments: privilege, and channels narrowed to
// a group. By credentials that the bus vouches for, never by process id.

import { readFileSync } from 'node:fs';
import type { Caller } from '../../remote/callers.ts';
import { RpmsgdError } from '../../util/errors.ts';
import type { Credentials } from '../index.ts';

/** Its members may do what root may. */
export const adminGroup = 'rpmsg-admin';

/** The id of a group, undefined if there is none of this name. */
export type GroupId = (name: string) => number | undefined;

export interface CredentialSource {
  credentials(sender: string): Promise<Credentials>;
}

/** Reads group(5). */
export function groupIdFromFile(name: string, file = '/etc/group'): number | undefined {
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const id = Number(line?.split(':')[2]);
  return line !== undefined && Number.isInteger(id) ? id : undefined;
}

export class Access {
  readonly #clients: CredentialSource;
  readonly #groupId: GroupId;
  /** Answers for as long as a client is on the bus: its credentials do not change. */
  readonly #members = new WeakMap<Caller, Map<string, boolean>>();

  constructor(clients: CredentialSource, groupId: GroupId = groupIdFromFile) {
    this.#clients = clients;
    this.#groupId = groupId;
  }

  async uid({ sender }: Caller): Promise<number> {
    return (await this.#clients.credentials(sender)).uid;
  }

  isPrivileged(caller: Caller): Promise<boolean> {
    return this.isMember(caller, adminGroup);
  }

  /** Throws RpmsgdError access_denied. `what` begins the sentence. */
  async requirePrivilege(caller: Caller, what: string): Promise<void> {
    if (await this.isPrivileged(caller)) return;
    throw new RpmsgdError('access_denied', `${what} needs root or a member of group ${adminGroup}`);
  }

  /** What is known without asking the bus. */
  knownMember(caller: Caller, group: string): boolean | undefined {
    return this.#members.get(caller)?.get(group);
  }

  /** Whether the client is root, of the admin group, or of `group`. */
  async isMember(caller: Caller, group: string): Promise<boolean> {
    const known = this.knownMember(caller, group);
    if (known !== undefined) return known;
    const { uid, gids } = await this.#clients.credentials(caller.sender);
    const ids = [adminGroup, group].map((name) => this.#groupId(name));
    const isMember = uid === 0 || ids.some((id) => id !== undefined && gids.includes(id));
    const answers = this.#members.get(caller) ?? new Map<string, boolean>();
    answers.set(group, isMember);
    this.#members.set(caller, answers);
    return isMember;
  }

  /** Throws RpmsgdError access_denied. */
  async requireMember(caller: Caller, group: string): Promise<void> {
    if (!(await this.isMember(caller, group))) this.deny(group);
  }

  deny(group: string): never {
    throw new RpmsgdError('access_denied', `this channel is for members of group ${group}`);
  }
}
