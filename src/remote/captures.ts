// SPDX-License-Identifier: Apache-2.0
// The captures that run: of which remotes and vdevs, for whom, and how many at most.

import { type CapturePlace, mostSnapBytes, wholeRemote } from '../addon/types.ts';
import { RpmsgdError } from '../util/errors.ts';
import type { LinkContext } from './context.ts';
import type { Device } from './device.ts';
import type { Remote } from './remote.ts';

export interface CaptureOptions {
  readonly remote?: string;
  readonly vdev?: number;
  readonly snaplen?: number;
}

/** The RPMsg header alone. */
const leastSnapBytes = 16;
/** Of an opening comment, which has to fit one block of the file. */
const mostOpeningBytes = 3_000;

export class Captures {
  readonly #context: LinkContext;
  readonly #remotes: () => readonly Remote[];
  readonly #application: string;
  /** By number, the client that asked for it. */
  readonly #open = new Map<number, string>();

  constructor(context: LinkContext, remotes: () => readonly Remote[], version: string) {
    this.#context = context;
    this.#remotes = remotes;
    this.#application = `rpmsgd ${version}`;
  }

  /**
   * Begins one; the caller's descriptor, from which the file is read. Throws RpmsgdError
   * invalid_argument naming what is wrong with an option, and quota_exceeded.
   */
  open(sender: string, options: CaptureOptions): number {
    const places = this.#places(options);
    const snapBytes = checkSnapBytes(options.snaplen);
    const limit = this.#context.limits().captures;
    if (this.#open.size >= limit) {
      throw new RpmsgdError(
        'quota_exceeded',
        `${this.#open.size} captures are running (limit captures = ${limit})`,
      );
    }
    const setup = { places, snapBytes, application: this.#application };
    const { id, fd } = this.#context.link.openCapture(setup);
    this.#open.set(id, sender);
    const names = places.map(({ name }) => name);
    this.#context.log.info({ sender, places: names, snapBytes }, 'capture begins');
    return fd;
  }

  /** Its reader is gone. */
  over(id: number): void {
    const sender = this.#open.get(id);
    if (this.#open.delete(id)) this.#context.log.info({ sender }, 'capture is over');
  }

  #places({ remote: name, vdev }: CaptureOptions): CapturePlace[] {
    const all = this.#remotes();
    const remotes = name === undefined ? all : all.filter((remote) => remote.name === name);
    if (remotes.length === 0) {
      const known = all.map((remote) => remote.name).join(', ');
      const rule = all.length === 0 ? 'no remote is configured' : `there is ${known}`;
      const subject = name === undefined ? '' : `option 'remote' is '${name}'; `;
      throw new RpmsgdError('invalid_argument', `${subject}${rule}`);
    }
    const places = remotes.flatMap((remote) => placesOf(remote, vdev));
    if (vdev !== undefined && places.every((place) => place.vdev === wholeRemote)) {
      const most = Math.max(...remotes.map(({ devices }) => devices.length)) - 1;
      throw new RpmsgdError('invalid_argument', `option 'vdev' is ${vdev}; it is 0 to ${most}`);
    }
    return places;
  }
}

function checkSnapBytes(snapBytes = mostSnapBytes): number {
  if (snapBytes >= leastSnapBytes && snapBytes <= mostSnapBytes) return snapBytes;
  throw new RpmsgdError(
    'invalid_argument',
    `option 'snaplen' is ${snapBytes}; it is ${leastSnapBytes} to ${mostSnapBytes} bytes`,
  );
}

function placesOf(remote: Remote, vdev: number | undefined): CapturePlace[] {
  const devices = remote.devices.filter(({ index }) => vdev === undefined || index === vdev);
  return [
    {
      remote: remote.index,
      vdev: wholeRemote,
      name: remote.name,
      description: `life of remote ${remote.name}: resets and states, as comments`,
      opening: `capture begins: ${remote.state}, generation ${remote.generation}`,
    },
    ...devices.map((device) => ({
      remote: remote.index,
      vdev: device.index,
      name: `${remote.name}/vdev${device.index}`,
      description: `RPMsg messages of up to ${device.mtu} bytes after their header`,
      opening: opening(device),
    })),
  ];
}

/** What was announced before: a reader of the file has seen no announcement. */
function opening(device: Device): string {
  let text = `capture begins: ${device.state}`;
  for (const { name, remoteAddress } of device.channels) {
    if (remoteAddress === undefined) continue;
    const more = `\nchannel ${JSON.stringify(name.display)} at 0x${remoteAddress.toString(16)}`;
    if (Buffer.byteLength(text) + Buffer.byteLength(more) > mostOpeningBytes) break;
    text += more;
  }
  return text;
}
